"""The app: the pages, the live stream beside them, and the engine's life. Start it with `streamlit run app.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from playground import heap
from playground.engine import get_engine
from playground.engine.stream import routes
from playground.engine.sweep import sweeper

MINUTE = 60.0

heap.few_arenas()


async def tidy() -> None:
    """Once a minute hand back what the pages' reruns have freed."""
    while True:
        await asyncio.sleep(MINUTE)
        heap.hand_back()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Go on with sweeps that ran when the last server ended; at the end save what trains and end every worker."""
    sweeper(get_engine()).take_up()
    tidying = asyncio.create_task(tidy())
    yield
    tidying.cancel()
    get_engine().shutdown()


app = st.App("pages/router.py", routes=routes(get_engine()), lifespan=lifespan)
