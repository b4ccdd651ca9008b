"""A run as files for other tools: its networks and its numbers, each made when it is asked for."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.parts import state
from playground import exports
from playground.store import tables

NETWORKS = {
    "Weights": (exports.weights, "safetensors", "The networks' parameters, by name"),
    "ONNX": (exports.packed, "onnx.zip", "Each pass of the model for any ONNX runtime, in a ZIP"),
}
NUMBERS = {
    "CSV": ("csv", "All metrics and scores, a row a step"),
    "Parquet": ("parquet", "The same table for pandas, Polars or DuckDB"),
    "TensorBoard": ("tfevents", "An event file: put it into a folder that TensorBoard reads"),
}


def offer(run: str) -> None:
    """Draw the buttons that save a run's networks and numbers."""
    folder = state.engine().folder(run)
    if folder is None or not folder.keyframes():
        return
    st.markdown("**Networks** of the last saved moment")
    with st.container(key=f"networks-{run}", horizontal=True, gap="small"):
        for label, (make, ending, help_) in NETWORKS.items():
            _button(run, label, f"{run}.{ending}", partial(make, folder), help_)
    st.markdown("**Numbers**: every logged metric and score")
    with st.container(key=f"numbers-{run}", horizontal=True, gap="small"):
        for label, (kind, help_) in NUMBERS.items():
            name = f"events.out.tfevents.{run}" if kind == "tfevents" else f"{run}.{kind}"
            _button(run, label, name, partial(tables.numbers, folder, kind), help_)


def _button(run: str, label: str, file: str, make: partial[bytes], help_: str) -> None:
    st.download_button(
        label, make, file, "application/octet-stream", key=f"save-{label}-{run}", help=help_, on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip
