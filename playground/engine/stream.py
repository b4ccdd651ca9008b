"""The live stream of a run: frames down and verbs up one WebSocket, and the stage's scripts and metrics beside it.

A browser asks for the next frame when it has painted the last, so a slow one gets fewer and never a backlog. The open
connection is also how the engine knows that somebody watches. `docs/contracts.md` has the messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from playground.engine import asked
from playground.engine.guard import admitted
from playground.engine.manager import Engine
from playground.engine.record import EngineError
from playground.store.tables import csv

ASSETS = Path(__file__).parents[2] / "assets"
ASSET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(js|css)")
KINDS = {"js": "text/javascript", "css": "text/css"}
IDLE = 1.0  # seconds without a new frame after which the status is told
REFUSED = 4403  # the code of a connection that is closed for its token or origin


def routes(engine: Engine) -> list[BaseRoute]:
    """Return the routes to mount beside the pages."""

    async def stream(socket: WebSocket) -> None:
        await _Viewer(engine, socket).serve()

    async def metrics(request: Request) -> Response:
        try:
            status = await run_in_threadpool(engine.status, request.path_params["run"])
        except EngineError as error:
            return Response(str(error), 404, media_type="text/plain")
        folder = engine.folder(status.run)
        name = f'attachment; filename="{status.run}.csv"'
        lines = csv(folder) if folder else iter(["step\n"])
        return StreamingResponse(lines, media_type="text/csv", headers={"Content-Disposition": name})

    return [
        WebSocketRoute("/playground/stream/{run}", stream),
        Route("/playground/assets/{file}", _asset),
        Route("/playground/runs/{run}/metrics.csv", metrics),
        asked.route(engine),
    ]


class _Viewer:
    """One connection: the newest frame goes out when asked for; verbs are carried out in order on a thread."""

    def __init__(self, engine: Engine, socket: WebSocket) -> None:
        self.engine, self.socket = engine, socket
        self.run = str(socket.path_params["run"])
        self.name = secrets.token_hex(8)
        self.layers: list[str] = []
        self.seen: int | None = None  # the frame that the browser painted last; None: it has not asked for another
        self.fresh = asyncio.Event()
        self.verbs: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def serve(self) -> None:
        if not admitted(self.socket, self.engine.token):
            await self.socket.close(REFUSED)
            return
        await self.socket.accept()
        try:
            await run_in_threadpool(self.engine.watch, self.run, self.name, [])
        except EngineError as error:
            await self.socket.send_text(_text({"error": str(error)}))
            await self.socket.close()
            return
        here = asyncio.get_running_loop()
        unlisten = self.engine.listen(self.run, self._wake(here))
        tasks = [asyncio.create_task(work()) for work in (self._hear, self._show, self._obey)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unlisten()
            for task in tasks:
                task.cancel()
            for done in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(done, Exception) and not isinstance(
                    done, WebSocketDisconnect | EngineError | RuntimeError
                ):
                    raise done
            with contextlib.suppress(EngineError):  # the run may have been deleted
                await run_in_threadpool(self.engine.unwatch, self.run, self.name)

    def _wake(self, here: asyncio.AbstractEventLoop) -> Callable[[], None]:
        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server's loop has ended
                here.call_soon_threadsafe(self.fresh.set)

        return wake

    async def _hear(self) -> None:
        """Take messages in until the browser is gone."""
        first = True
        while True:
            try:
                message = orjson.loads(await self.socket.receive_text())
                if "next" in message:
                    layers = [str(name) for name in message.get("layers", self.layers)]
                    self.seen = 0 if first else int(message["next"])  # a number from before a restart means nothing
                    first = False
                    if layers != self.layers:
                        self.layers = layers
                        await run_in_threadpool(self.engine.watch, self.run, self.name, layers)
                    self.fresh.set()
                elif "do" in message:
                    self.verbs.put_nowait(message)
            except (orjson.JSONDecodeError, TypeError, ValueError):
                await self.socket.send_text(_text({"error": "A message is a JSON object with next or do."}))

    async def _show(self) -> None:
        """Send the newest frame when the browser waits for one, else the status now and then."""
        state: tuple[Any, ...] = ()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.fresh.wait(), IDLE)
            timed_out = not self.fresh.is_set()
            self.fresh.clear()
            status = self.engine.status(self.run)
            found = None
            if self.seen is not None:
                resting = status.state in ("ready", "queued", "stopped") or self.seen == 0
                frame = self.engine.frame
                found = await run_in_threadpool(frame, self.run, self.seen) if resting else frame(self.run, self.seen)
            now = (status.state, status.queue, status.error, status.past)
            if found is not None:
                self.seen, state = None, now
                await self.socket.send_bytes(found[0].to_bytes(8, "little") + found[1])
            elif timed_out or now != state:
                state = now
                await self.socket.send_text(_text({"idle": status.to_json()}))

    async def _obey(self) -> None:
        """Carry verbs out one after the other; each is acknowledged."""
        while True:
            message = await self.verbs.get()
            number, verb = message.pop("id", None), str(message.pop("do"))
            try:
                answer = await run_in_threadpool(self.engine.send, self.run, verb, **message)
                told: dict[str, Any] = {name: answer[name] for name in ("ok", "step", "data") if name in answer}
            except (EngineError, TypeError) as error:
                told = {"ok": False, "error": str(error)}
            await self.socket.send_text(_text({"ack": number, **told}))


async def _asset(request: Request) -> Response:
    name = request.path_params["file"]
    path = ASSETS / name
    if not ASSET.fullmatch(name) or not path.is_file() or path.resolve().parent != ASSETS.resolve():
        return Response("There is no such file.", 404, media_type="text/plain")
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=KINDS[name.rsplit(".", 1)[1]], headers=headers)


def _text(message: dict[str, Any]) -> str:
    return orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY).decode()
