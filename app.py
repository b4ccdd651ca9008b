"""The app: the pages, the live stream beside them, and the engine's life. Start it with `streamlit run app.py`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from playground.engine import get_engine
from playground.engine.stream import routes


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """End every worker with the server; what they trained is saved."""
    yield
    get_engine().shutdown()


app = st.App("pages/router.py", routes=routes(get_engine()), lifespan=lifespan)
