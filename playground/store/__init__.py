"""A run on disk: experiment, events, metrics, keyframes; and the index of runs."""

from playground.store import about, group
from playground.store.about import About
from playground.store.errors import StoreError, Unwritable
from playground.store.folder import RunFolder, forget_deleted, new_id, restore, runs
from playground.store.fork import Graft, fork
from playground.store.group import Group
from playground.store.history import Curve, History
from playground.store.keyframes import Keyframe
from playground.store.parents import Parent, parent
from playground.store.records import LATEST, RECENT, Recent, since
from playground.store.share import receive, share

__all__ = [
    "LATEST", "RECENT", "About", "Curve", "Graft", "Group", "History", "Keyframe", "Parent", "Recent", "RunFolder",
    "StoreError", "Unwritable", "about", "forget_deleted", "fork", "group", "new_id", "parent", "receive", "restore",
    "runs", "share", "since",
]  # fmt: skip
