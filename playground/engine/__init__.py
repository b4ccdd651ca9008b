"""Where training runs: the loop, the worker process that holds it, and the engine that manages the workers."""
