"""The one palette, for light and dark backgrounds; a dash or a shape always repeats what a colour says.

Real, fake and the players: three hues of ColorBrewer's Dark2 and Paired sets; the surface: ColorBrewer's PRGn (Brewer,
colorbrewer2.org). Classes: ten colours searched for the largest smallest distance in CIELAB (25) between any two, as
seen with normal, deuteranopic and protanopic eyes (Machado, Oliveira, Fernandes 2009), that stand out on white and on
dark paper.
"""

from __future__ import annotations

REAL = "#1b9e77"
FAKE = "#7570b3"
DISCRIMINATOR = ENCODER = "#1f78b4"  # solid
GENERATOR = DECODER = "#e66101"  # dashed
SECOND = "#a6761d"  # a second measure beside the fakes' own, dashed
EVENT = "#8a8f98"
THEORY = "#8a8f98"  # dotted
INK = "#767b84"  # text on either background
GRID = "rgba(128,128,128,0.18)"
FLOOR = "rgba(128,128,128,0.22)"

DASH = {
    "discriminator": "solid",
    "generator": "dash",
    "real": "solid",
    "fake": "dash",
    "second": "dash",
    "theory": "dot",
}

# D(x) from 0 (purple) over 1/2 (white) to 1 (green), evenly spaced.
SURFACE = (
    "#40004b", "#762a83", "#9970ab", "#c2a5cf", "#e7d4e8",
    "#f7f7f7",
    "#d9f0d3", "#a6dba0", "#5aae61", "#1b7837", "#00441b",
)  # fmt: skip

# How good something is, from worst to best, evenly spaced in lightness: viridis (van der Walt, Smith 2015).
VALUES = (
    "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725",
)  # fmt: skip

CLASSES = (
    "#5844a5", "#d55964", "#00e5c8", "#734300", "#7696ff", "#9d8a0b", "#910c54", "#9dd26d", "#726d9e", "#00d5f1",
)  # fmt: skip


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the red, green and blue (0..255) of a colour written #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def clear(colour: str, opacity: float) -> str:
    """Return a colour at an opacity between 0 and 1."""
    r, g, b = rgb(colour)
    return f"rgba({r},{g},{b},{opacity:g})"


def lighter(colour: str, share: float = 0.45) -> str:
    """Return the held-out tone of a hue: mixed with so much white."""
    r, g, b = (round(c + (255 - c) * share) for c in rgb(colour))
    return f"#{r:02x}{g:02x}{b:02x}"


def scale(colours: tuple[str, ...] = SURFACE) -> list[tuple[float, str]]:
    """Return colours as a Plotly scale from 0 to 1."""
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]


def along(share: float, colours: tuple[str, ...] = VALUES) -> str:
    """Return the colour at a place between 0 and 1 of a scale."""
    place = min(max(share, 0.0), 1.0) * (len(colours) - 1)
    i = min(int(place), len(colours) - 2)
    mixed = (round(a + (b - a) * (place - i)) for a, b in zip(rgb(colours[i]), rgb(colours[i + 1]), strict=True))
    return "#" + "".join(f"{c:02x}" for c in mixed)


def ink_on(colour: str) -> str:
    """Return the text colour, near black or white, that stands out more on a colour (WCAG's relative luminance)."""
    light = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb(colour)]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return "#14181d" if luminance > 0.199 else "#ffffff"  # where both stand out as much
