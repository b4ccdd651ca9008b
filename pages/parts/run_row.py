"""One line in the table of runs: what it made, what it is called, how it went, what it came to, what to do with it."""

from __future__ import annotations

import time
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import run_more, run_picks, run_thumbs, says, state
from pages.parts.run_search import verdict
from playground.data import datasets
from playground.engine import EngineError
from playground.families import family
from playground.figures.comparison import named
from playground.figures.spark import spark
from playground.presets import PRESETS
from playground.store.index import Row
from playground.store.listing import PLAIN, Entry, Order

TONES = {"healthy": "good", "warming": "calm", "full-collapse": "bad", "g-vanished": "bad", "diverged": "bad",
         "failed": "bad"}  # fmt: skip


def title(row: Row) -> str:
    """Return the run's name, else that of its preset or data."""
    return row.about.name or (PRESETS[row.preset].title if row.preset else datasets()[row.dataset].title)


def head(order: Order) -> None:
    """Draw the names of the columns."""
    what = f"{named(order.by)}, {order.figure}" if order.by not in PLAIN else "Came to"
    cells = ["", "Run", "Course", what, "Verdict", "Steps"]
    st.html(f'<div class="run head">{"".join(f"<span>{escape(cell)}</span>" for cell in cells)}</div>')


def row(run: Row, tags: list[str]) -> DeltaGenerator:
    """Draw a run's widgets and return the place of its cells; `tags` are those that any run has."""
    key = f"run-{run.run}"
    with st.container(key=key, horizontal=True, vertical_alignment="center", gap="small"):
        run_picks.tick(run.run)
        said = run.about
        st.button(
            "", key=f"star-{run.run}", type="tertiary", help="Take the star away" if said.star else "Star",
            icon=":material/star:" if said.star else ":material/star_outline:",
            on_click=run_picks.say, args=(run.run, said.model_copy(update={"star": not said.star})),
        )  # fmt: skip
        place = st.container(key=f"cells-{run.run}", width="stretch")
        with st.container(key=f"acts-{run.run}", horizontal=True, width="content", gap="small"):
            if run.state in ("stopped", "paused"):
                st.button(
                    "", key=f"go-{run.run}", icon=":material/play_arrow:", on_click=_go_on, args=(run.run,),
                    help="Go on, pinned: nobody needs to watch",
                )  # fmt: skip
            if st.button("Open", key=f"open-{run.run}", icon=":material/open_in_full:"):
                st.switch_page(state.switch(run.run).page)
            run_more.more(run, tags)
    return place


def group(entry: Entry, *, open_: bool) -> bool:
    """Draw the head of a race or sweep; return whether its runs are shown."""
    assert entry.group is not None
    of, runs = entry.group, [row.run for row in entry.rows]
    with st.container(key=f"group-{of.id}", horizontal=True, vertical_alignment="center", gap="small"):
        shown = st.toggle(f"{of.kind.capitalize()} of {len(runs)} runs", open_, key=f"unfold-{of.id}")
        st.markdown(f":gray[:small[{', '.join(_plain(row.group.label) for row in entry.rows if row.group)}]]")
        st.space("stretch")
        st.button("Select", key=f"select-{of.id}", type="tertiary", on_click=run_picks.pick, args=(runs,))
        if st.button("Compare", key=f"compare-{of.id}", icon=":material/stacked_line_chart:"):
            run_picks.compare(runs)
    return shown


def cells(run: Row, order: Order, inside: bool) -> str:
    """Return what is said of a run in its row; `inside`: of a group."""
    metric, values = run.spark
    tone = TONES.get(run.verdict[0], "warn")
    dot = f'<i class="dot {tone}"></i>'
    tags = "".join(f'<span class="tag">{escape(tag)}</span>' for tag in run.about.tags)
    label = f'<span class="tag of">{escape(run.group.label)}</span>' if inside and run.group else ""
    note = f"<em>{escape(run.about.note.splitlines()[0])}</em>" if run.about.note else ""
    came = f"<small>forked from {run.parent.run} at step {run.parent.step:,}</small>" if run.parent else ""
    said = run.error if run.state == "failed" and run.error else run.verdict[1]
    started = time.strftime("%d %b, %H:%M", time.localtime(run.started))
    what = escape(named(metric))
    course = (
        f'<img class="spark" decoding="sync" src="{spark(values)}" alt=""><small title="{what}">{what}</small>'
        if metric
        else ""
    )
    return (
        f'<div class="run"><img decoding="sync" src="{run_thumbs.picture(run)}" alt="What the run made last">'
        f'<div class="name"><b>{escape(title(run))}</b>{label}{tags}'
        f"<small>{family(run.family).title} · {run.run}</small>{note}{came}</div>"
        f'<div class="course">{course}</div>'
        f'<div class="value">{_value(run, order)}</div>'
        f'<div class="verdict">{dot}<b>{verdict(run.verdict[0])}</b>'
        f'<small title="{escape(said)}">{escape(said)}</small></div>'
        f'<div class="steps"><b>step {run.step:,}</b><span class="state {run.state}">{run.state}</span>'
        f"<small>{started}</small></div></div>"
    )


def _value(run: Row, order: Order) -> str:
    """Return what the run came to in the metric that it is sorted by, else in the one that tells most."""
    metric = order.by if order.by not in PLAIN else run.spark[0]
    if metric not in run.metrics:
        return '<small class="none">–</small>'
    found = run.metrics[metric]
    figures = {"last": found.last, "best": found.best, "smoothed": found.smoothed}
    first = figures.pop(order.figure if order.by not in PLAIN else "last")
    rest = "".join(f"<small>{name} {value:.4g}</small>" for name, value in figures.items() if value is not None)
    return f"<b>{'–' if first is None else f'{first:.4g}'}</b>{rest}"


def _plain(text: str) -> str:
    """Return a person's words so that Markdown leaves them as they are."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()#+-.!|<>~$:" else letter for letter in text)


def _go_on(run: str) -> None:
    """Play a run, pinned: nobody watches it from here."""
    try:
        state.engine().pin(run, True)
        state.engine().send(run, "play")
    except EngineError as error:
        says.fail(error)
