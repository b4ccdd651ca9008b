"""A run as a plain PyTorch script: what it says, and the buttons that save it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.parts import state
from playground.code import export
from playground.code.files import packed
from playground.config import ConfigError
from playground.store import RunFolder, StoreError

HEIGHT = 520  # of the preview, pixels
HELP = "The run as one plain PyTorch script, which needs nothing of this app"


def offer(run: str, *, where: str) -> None:
    """Draw the button that opens a run's script; `where` is the page's popover that it stands in, which closes."""
    st.button("Code", key=f"code-{where}", icon=":material/code:", help=HELP, on_click=_open, args=(run, where))


def _open(run: str, where: str) -> None:
    st.session_state["code"] = run
    if where in st.session_state:
        st.session_state[where] = False


def dialog() -> None:
    """Draw the script that was asked for; to be called once by a page, outside popovers."""
    if run := st.session_state.pop("code", None):
        _show(run)


@st.dialog("The run as a script", width="large")
def _show(run: str) -> None:
    """Draw a run's script with the button that saves it, or why there is none."""
    folder = state.engine().folder(run)
    try:
        experiment = folder.experiment() if folder else state.engine().experiment(run)
        text = export.of_run(folder) if folder else export.script(experiment)
        file, data = packed(text, run, experiment.data.beside())
    except (ConfigError, StoreError) as error:
        st.error(str(error), icon=":material/error:")
        return
    lines = len(text.splitlines())
    st.markdown(f"{lines} lines of PyTorch with the same first weights, batches and noise, and so the same losses.")
    st.download_button(
        f"Save {file}", data, file, _mime(file), key="code-save", icon=":material/download:", type="primary",
        on_click="ignore",
    )  # fmt: skip
    st.code(text, language="python", height=HEIGHT)


def save(folder: RunFolder) -> None:
    """Draw the button that saves a run's script at once, for a row among others."""
    run, why = folder.run_id, None
    try:
        export.check(folder)
        ending = "zip" if "DATA" in folder.experiment().data.listing() else "py"
    except (ConfigError, StoreError) as error:
        why, ending = str(error), "py"
    file = f"{run}.{ending}"
    st.download_button(
        "Code", partial(_file, folder), file, _mime(file), key=f"code-{run}", icon=":material/code:", help=why or HELP,
        on_click="ignore", disabled=why is not None,
    )  # fmt: skip


def _file(folder: RunFolder) -> bytes:
    return packed(export.of_run(folder), folder.run_id, folder.experiment().data.beside())[1]


def _mime(file: str) -> str:
    return "text/x-python" if file.endswith(".py") else "application/zip"
