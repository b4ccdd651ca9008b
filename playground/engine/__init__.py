"""Where training runs: the loop, the worker process that holds it, and the engine that manages the workers."""

from playground.engine.manager import Engine, EngineError, Status, get_engine

__all__ = ["Engine", "EngineError", "Status", "get_engine"]
