"""How a live component gets onto a page: registered once for the process, with its style and a box of its final size.

The few lines of JavaScript here only import the real module from our own route, under whatever path the app is served.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

Action = dict[str, Any]

ASSETS = Path(__file__).parents[2] / "assets"

LOADER = """
export default async function (component) {{
  const script = document.querySelector('script[src*="static/js/"]');
  const base = script ? script.src.split("static/js/")[0] : new URL("./", document.baseURI).href;
  const module = await import(new URL("playground/assets/{name}.js", base).href);
  return module.default(component);
}}
"""


def component(name: str, *styles: str) -> Any:
    """Register assets/`name`.js with live.css and further `styles`; return what mounts it."""
    return st.components.v2.component(
        f"playground_{name}",
        html=f'<div class="pg {name}"></div>',
        css="\n".join((ASSETS / style).read_text(encoding="utf-8") for style in ("live.css", *styles)),
        js=LOADER.format(name=name),
    )


def nothing() -> None:
    """Stand for a callback: a component only has the attributes of the events that it is given one for."""
