"""One run on the runs page: where it stands, what it came to, what is said of it, and what can be done with it."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from pages.parts import says, state, thumbnails
from pages.parts.title import preset_of
from playground.data import datasets
from playground.diagnostics.verdict import verdict
from playground.engine import EngineError, Status
from playground.presets import PRESETS
from playground.store import About, RunFolder, about, parent, share

COLOURS = {"running": "green", "warming": "green", "queued": "orange", "failed": "red", "finished": "blue"}


def row(run: Status, said: About, tags: list[str]) -> None:
    """Draw a run; `tags` are those that any run has."""
    with st.container(key=f"run-{run.run}", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "", key=f"star-{run.run}", type="tertiary", help="Take the star away" if said.star else "Star",
            icon=":material/star:" if said.star else ":material/star_outline:",
            on_click=_say, args=(run.run, said.model_copy(update={"star": not said.star})),
        )  # fmt: skip
        st.image(thumbnails.thumbnail(state.engine().experiment(run.run).dataset), width=36)
        st.badge(run.state, color=COLOURS.get(run.state, "gray"), width=88)
        st.markdown(_words(run, said), width="stretch")
        if run.state in ("stopped", "paused"):
            st.button("Go on", key=f"go-{run.run}", icon=":material/play_arrow:", on_click=_go_on, args=(run.run,))
        if st.button("Open", key=f"open-{run.run}", icon=":material/open_in_full:"):
            st.switch_page(state.switch(run.run).page)
        st.toggle(
            "Pin", run.pinned, key=f"pin-{run.run}", help="A pinned run goes on when nobody watches.",
            on_change=_pin, args=(run.run,),
        )  # fmt: skip
        _more(run, said, tags)


def title(run: Status, said: About) -> str:
    """Return the run's name, else that of its preset or data."""
    experiment = state.engine().experiment(run.run)
    preset = preset_of(experiment)
    return said.name or (PRESETS[preset].title if preset else datasets()[experiment.dataset].title)


def _words(run: Status, said: About) -> str:
    came_to = run.error if run.state == "failed" else sentence(run.run, run.step)
    tags = " ".join(f":gray-badge[{_plain(tag)}]" for tag in said.tags)
    folder = state.engine().folder(run.run)
    came = None if folder is None else parent(folder.path)
    from_ = f"  \n:gray[:small[forked from {came.run} at step {came.step:,}]]" if came else ""
    note = f"  \n:small[*{_plain(said.note.splitlines()[0])}*]" if said.note else ""
    head = f"**{_plain(title(run, said))}** :gray[:small[{run.run} · step {run.step:,}]] {tags}"
    return f"{head}  \n:small[{came_to}]{note}{from_}"


def _plain(text: str) -> str:
    """Return a person's words so that Markdown leaves them as they are."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()#+-.!|<>~$:" else letter for letter in text)


def _more(run: Status, said: About, tags: list[str]) -> None:
    with st.popover("", icon=":material/more_horiz:", help="Name, tags, note; share; delete", key=f"more-{run.run}"):
        with st.form(f"about-{run.run}", border=False):
            name = st.text_input("Name", said.name, max_chars=80, key=f"name-{run.run}")
            chosen = st.multiselect(
                "Tags", sorted({*tags, *said.tags}), said.tags, key=f"tags-{run.run}", accept_new_options=True,
                placeholder="Choose or write some",
            )  # fmt: skip
            note = st.text_area("Note", said.note, max_chars=2000, key=f"note-{run.run}", height=88)
            if st.form_submit_button("Keep", key=f"keep-{run.run}", type="primary"):
                _say(run.run, About(name=name, tags=tuple(chosen), note=note, star=said.star))
                st.rerun()
        folder = state.engine().folder(run.run)
        if folder is not None:
            st.download_button(
                "Share", partial(whole, folder), f"{run.run}.zip", "application/zip", icon=":material/ios_share:",
                key=f"share-{run.run}", help="One file that another server takes in", on_click="ignore",
            )  # fmt: skip
        st.button("Delete", key=f"delete-{run.run}", icon=":material/delete:", on_click=_delete, args=(run.run,))


def whole(folder: RunFolder) -> bytes:
    """Return a run as one file, made when it is asked for."""
    file = io.BytesIO()
    share(folder, file)
    return file.getvalue()


@st.cache_data(max_entries=200, show_spinner=False)
def sentence(run: str, step: int) -> str:
    """Return the verdict on a run as it stood at `step`."""
    folder = state.engine().folder(run)
    if folder is None or not step:
        return "Not measured yet."
    return verdict(state.engine().experiment(run), folder.train(), folder.scores()).sentence


def _say(run: str, words: About) -> None:
    folder = state.engine().folder(run)
    if folder is not None:
        about.write(folder.path, words)


def _go_on(run: str) -> None:
    """Play a run, pinned: nobody watches it from here."""
    try:
        state.engine().pin(run, True)
        state.engine().send(run, "play")
    except EngineError as error:
        says.fail(error)


def _pin(run: str) -> None:
    state.engine().pin(run, st.session_state[f"pin-{run}"])


def _delete(run: str) -> None:
    try:
        state.engine().delete(run)
        st.session_state["deleted"] = run
    except EngineError as error:
        says.fail(error)
