"""The dialog for a person's own images: an archive or a table is read, what is refused is counted and named."""

from __future__ import annotations

import streamlit as st

from pages.parts import plain, state
from pages.parts.bring import use
from playground.config import ConfigError
from playground.data.own_images import SIDES, Images, OwnImages, read_images, save_images

NAMED = 50  # refused files named one by one
SHOWN = 12  # images shown before they are used


@st.dialog("Your own images", width="medium")
def images() -> None:
    """Take a file in, show what came of it, and go on with the good images."""
    st.caption(
        "A ZIP of PNG or JPEG pictures, sub-folders being classes; or an NPZ or CSV file with an image a row. "
        "Nothing leaves this machine."
    )
    file = st.file_uploader("File", type=["zip", "npz", "csv"], key="images", label_visibility="collapsed")
    left, right = st.columns(2)
    side = left.segmented_control("Side, pixels", SIDES, default=28, required=True, key="images-side")
    colour = right.segmented_control("Colour", ["Grey", "RGB"], default="Grey", required=True, key="images-colour")
    if file is None:
        return
    try:
        found = _read(file.file_id, int(side or 28), colour != "RGB", file.name, file.getvalue())
    except ConfigError as error:
        st.error(str(error), icon=":material/error:")
        return
    _told(found)
    if st.button("Use these images", type="primary", key="use-images"):
        use(state.shown().on(OwnImages.id).changed(source=save_images(found)))


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(file: str, side: int, grey: bool, name: str, _data: bytes) -> Images:
    """Read a file once for each way to read it."""
    bar = st.progress(0.0, "Reading …")

    def told(done: int, total: int) -> None:
        if done % 20 == 0 or done == total:
            bar.progress(done / max(1, total), f"{done:,} of {total:,} files")

    try:
        return read_images(_data, name, side, grey, told)
    finally:
        bar.empty()


def _told(found: Images) -> None:
    """Say how many images there are, show some, and name what was refused."""
    classes = f" in {len(found.classes)} classes" if found.classes else ""
    st.markdown(f"**{len(found.x):,} images**{classes}")
    plain.images(found.x[:SHOWN].float() / 255, "images")
    if found.refused:
        st.warning(f"{len(found.refused):,} refused; the others are used.", icon=":material/block:")
        with st.expander("Which, and why"):
            plain.table([(f"*{one.name}", one.why) for one in found.refused[:NAMED]])
            if len(found.refused) > NAMED:
                st.caption(f"and {len(found.refused) - NAMED:,} more")
