"""Where training runs: the loop, the worker process that holds it, and the engine that manages the workers."""

from playground.engine.manager import Engine, get_engine
from playground.engine.record import EngineError, Status

__all__ = ["Engine", "EngineError", "Status", "get_engine"]
