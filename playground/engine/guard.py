"""Who may ask the routes beside the pages: this server's own pages, which know its token."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def admitted(connection: HTTPConnection, token: str) -> bool:
    """Say whether a request has the token and comes from a page of this host; a proxy names the host it stands for."""
    host = urlsplit(connection.headers.get("origin", "")).netloc
    here = bool(host) and host in (connection.headers.get("host"), connection.headers.get("x-forwarded-host"))
    return here and secrets.compare_digest(connection.query_params.get("token", "").encode(), token.encode())
