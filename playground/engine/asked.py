"""The model's route: a page's own question to a saved moment, "decode these codes", "encode these items", past Python.

For what must answer while a slider is dragged: one POST, one blob of arrays back, made off the event loop by a model
that stays in memory (`playground/latent/moments.py`). `docs/contracts.md` has the form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import torch
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from playground.blobs import encode
from playground.config import ConfigError
from playground.engine.guard import admitted
from playground.engine.items import numbers, packed, unpacked
from playground.engine.manager import Engine
from playground.engine.record import EngineError
from playground.latent.moments import Moment
from playground.store import StoreError

MOST = 256  # codes or items in one question
LARGEST = 4 * 2**20  # bytes of a question


def route(engine: Engine) -> Route:
    """Return the route `POST /playground/model/<run id>`."""

    async def answer(request: Request) -> Response:
        if not admitted(request, engine.token):
            return refused("Only this server's own pages may ask: reload the page.", 403)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return refused(f"The question is larger than {LARGEST // 2**20} MB: ask for fewer at once.")
        try:
            blob = await run_in_threadpool(reply, engine, request.path_params["run"], bytes(body))
        except (ConfigError, EngineError, StoreError) as error:
            return refused(str(error))
        except Exception as error:  # of a model or its data: the page says it, the server goes on
            return refused(f"The model could not answer: {type(error).__name__}: {error}")
        return Response(blob, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    return Route("/playground/model/{run}", answer, methods=["POST"])


def refused(sentence: str, status: int = 400) -> Response:
    """Return a refusal in one sentence."""
    return JSONResponse({"error": sentence}, status)


def reply(engine: Engine, run_id: str, body: bytes) -> bytes:
    """Return the blob that answers a question; raises `ConfigError` where it is no question."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict) or asked.get("do") not in ("decode", "encode"):
        raise ConfigError('A question is a JSON object with "do": "decode" and "codes", or "encode" and "items".')
    step = asked.get("step")
    if step is not None and not (isinstance(step, int) and step >= 0):
        raise ConfigError(f"step is {step!r}: it takes a whole number from 0, or null for the newest moment.")
    moment = engine.moment(run_id, step)
    arrays = decoded(moment, asked) if asked["do"] == "decode" else encoded(moment, asked)
    return encode(arrays, {"run": run_id, "step": moment.step, "kind": moment.experiment.data.kind})


def decoded(moment: Moment, asked: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the items behind codes."""
    return {"items": _shown(moment, numbers(asked.get("codes"), "codes", MOST, (moment.codings,)))}


def encoded(moment: Moment, asked: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the codes of items, and what the decoder makes of them."""
    codes = moment.encode(unpacked(asked.get("items"), moment.experiment.data, MOST))
    return {"codes": codes, "items": _shown(moment, codes)}


def _shown(moment: Moment, codes: np.ndarray) -> np.ndarray:
    return packed(torch.from_numpy(moment.decode(codes)), moment.experiment.data.kind)
