"""A script as one file to hand on, with the items that it reads where nobody else has them."""

from __future__ import annotations

import io
import zipfile


def packed(text: str, name: str, others: dict[str, bytes]) -> tuple[str, bytes]:
    """Return a script as one file to hand on: its name and bytes, a ZIP where others lie beside it."""
    if not others:
        return f"{name}.py", text.encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        for inside, content in {f"{name}.py": text.encode(), **others}.items():
            whole.writestr(inside, content)
    return f"{name}.zip", file.getvalue()
