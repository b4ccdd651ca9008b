"""A run on disk: experiment, events, metrics, keyframes; and the index of runs."""

from playground.store.folder import Keyframe, RunFolder, StoreError, new_id, runs
from playground.store.history import Curve, History
from playground.store.share import receive, share

__all__ = ["Curve", "History", "Keyframe", "RunFolder", "StoreError", "new_id", "receive", "runs", "share"]
