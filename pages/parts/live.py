"""The live components: transport, stage, verdict, drawing pad, the walls of models of items, the map, from assets/*.js.

Training talks to the components over the stream, past Python. Where no WebSocket gets through, the transport says so
once and the stage then draws the same frames as its data, five times a second, from a timed fragment.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts.mounts import Action, component, nothing
from playground.engine import EngineError, get_engine

FALLBACK_EVERY = 0.2  # seconds
PAGE_ACTIONS = ("reset", "new-seed", "applied", "restart", "rewound", "fork", "changed", "looked")

_transport = component("transport")
_past = component("past")
_stage = component("stage")
_verdict = component("verdict")
_pad = component("pad")
_wall = component("wall", "coding.css")
_map = component("map", "coding.css")
_samples = component("samples", "coding.css")
_racer = component("racer", "coding.css", "race.css")


def transport(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount the bar that drives the run, with the past slider; return what needs the page (`docs/contracts.md`)."""
    result = _transport(key=key, data=_about(run_id, token, data), on_action_change=nothing)
    return _page_action(run_id, result.action)


def past(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount the past slider and its film alone; `looked` where the page shows another moment than the run does."""
    about = _about(run_id, token, data) | {"done": st.session_state.get("live_done", 0)}
    return _page_action(run_id, _past(key=key, data=about, on_action_change=nothing).action)


def stage(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount the picture of the run with its layers; return what needs the page."""
    return _picture(_stage, run_id, token, data, key)


def verdict(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount the verdict with its evidence, cure and scores; return what needs the page."""
    result = _verdict(key=key, data=_about(run_id, token, data), on_action_change=nothing)
    return _page_action(run_id, result.action)


def wall(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount a coding model's wall: inputs and reconstructions, filters, activations; return what needs the page."""
    return _picture(_wall, run_id, token, data, key)


def samples(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount an image generator's wall: fakes of fixed codes, D's opinion, their classes; return what needs the page."""
    return _picture(_samples, run_id, token, data | {"layers": ["fake", "scores"]}, key)


def racer(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount one run of a race, small: `data` adds label colour dash rows picture layers parts."""
    return _picture(_racer, run_id, token, data, key)


def latent_map(run_id: str, *, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount the moving map of held-out codings; it shares the wall's connection. Return what needs the page."""
    result = _map(key=key, data=_about(run_id, token, data), on_action_change=nothing)
    return _page_action(run_id, result.action)


def pad(*, data: dict[str, Any] | None = None, key: str) -> list[list[float]] | None:
    """Mount the drawing pad; return the points (n, 2) in [-1, 1] in the one run after "Use this drawing"."""
    points = _pad(key=key, data=data or {}, on_points_change=nothing).points
    return points["points"] if points else None


def _picture(mounted: Any, run_id: str, token: str, data: dict[str, Any], key: str) -> Action | None:
    """Mount what draws frames: from the stream, or from its data where no stream gets through."""
    if st.session_state.get("live_fallback"):
        _fallback(mounted, run_id, token, data, key)
        return st.session_state.pop(f"{key}_action", None)
    result = mounted(key=key, data=_about(run_id, token, data), on_action_change=nothing)
    return _page_action(run_id, result.action)


@st.fragment(run_every=FALLBACK_EVERY)
def _fallback(mounted: Any, run_id: str, token: str, data: dict[str, Any], key: str) -> None:
    """Draw the stage or the wall from frames that travel as its data."""
    wanted = st.session_state.get(key, {}).get("layers") or data.get("layers") or ["real", "fake", "surface"]
    found = _viewer(run_id).frame(wanted)
    frame = None if found is None else base64.b64encode(found[0].to_bytes(8, "little") + found[1]).decode()
    about = _about(run_id, token, data) | {"status": get_engine().status(run_id).to_json(), "frame": frame}
    about["done"] = st.session_state.get("live_done", 0)
    result = mounted(key=key, data=about, on_action_change=nothing, on_layers_change=nothing)
    action = _page_action(run_id, result.action)
    if action is not None:
        st.session_state[f"{key}_action"] = action
        st.rerun()


@dataclass(frozen=True)
class _Viewer:
    """A session that watches without a stream; the engine must know, or it stops the run as one that nobody watches."""

    run_id: str
    name: str

    def frame(self, layers: list[str]) -> tuple[int, bytes] | None:
        """Return the newest frame with these layers."""
        get_engine().watch(self.run_id, self.name, layers)
        return get_engine().frame(self.run_id, -1)

    def leave(self) -> None:
        """Watch no more."""
        with contextlib.suppress(EngineError):  # the run has been deleted meanwhile
            get_engine().unwatch(self.run_id, self.name)


@st.cache_resource(scope="session", show_spinner=False, on_release=_Viewer.leave)
def _viewer(run_id: str) -> _Viewer:
    return _Viewer(run_id, secrets.token_hex(8))


def _about(run_id: str, token: str, data: dict[str, Any]) -> dict[str, Any]:
    return data | {"run": run_id, "token": token}


def _page_action(run_id: str, action: Action | None) -> Action | None:
    """Return an action for the page; carry out a verb that could not go over the stream."""
    if action is None or action["do"] in PAGE_ACTIONS:
        return action
    if action["do"] == "fallback":
        st.session_state.live_fallback = action["on"]
        st.rerun()
    if action["at"] <= st.session_state.get("live_done", 0):
        return None  # the browser sent it again before it knew that it had arrived
    st.session_state.live_done = action["at"]
    verb = {name: value for name, value in action.items() if name not in ("do", "at")}
    try:
        get_engine().send(run_id, action["do"], **verb)
    except EngineError as error:
        st.toast(str(error), icon=":material/error:")
    return {"do": "changed"}
