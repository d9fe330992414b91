"""HTTP: the page, what the network is, and `POST /predict`, each with its limits.

An error is {"error": one sentence}: 400 input that cannot be used, 403 a foreign page, 408 an
upload that takes too long, 413 one that is too large, 503 too many at once, 504 an answer that
takes too long, 500 a mistake of the server's.
"""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import ipaddress
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from jaxact.errors import UserError
from jaxact.inference.predictor import Predictor
from jaxact.serve import answers, uploads

PAGE = Path(__file__).parent / "page"
OVERHEAD = 64 << 10  # bytes of a form that are not its file
_OWN = "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": _OWN,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the server takes on.

    Attributes:
      size: bytes of an upload.
      seconds: for which an upload may take, then the wait for its turn, then the answer.
      at_once: uploads that are answered side by side.
      waiting: uploads that may wait beside them.
    """

    size: int = 64_000_000
    seconds: float = 60.0
    at_once: int = 2
    waiting: int = 8


class Desk:
    """Uploads get their answers here, `at_once` side by side; the others wait their turn."""

    def __init__(self, net: Predictor, limits: Limits) -> None:
        self.net, self.limits, self.inside = net, limits, 0
        self.free = asyncio.Semaphore(limits.at_once)
        self.workers = concurrent.futures.ThreadPoolExecutor(limits.at_once, "jaxact-answer")

    async def predict(self, request: Request) -> JSONResponse:
        """`POST /predict`: a form of `file` and the fields of `answers.Asked`."""
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise HTTPException(
                403, "another site's page asked; only this server's own page and programs may"
            )
        if self.inside >= self.limits.at_once + self.limits.waiting:
            raise HTTPException(
                503, f"{self.inside} uploads are being answered or wait; try again in a while"
            )
        self.inside += 1
        try:
            clips = await self._answered(request)
        finally:
            self.inside -= 1
        return JSONResponse({"step": self.net.net.step, "clips": clips})

    async def _answered(self, request: Request) -> list[dict[str, Any]]:
        seconds = self.limits.seconds
        try:
            folder, fields = await asyncio.wait_for(_received(request, self.limits.size), seconds)
        except TimeoutError:
            raise HTTPException(408, f"the upload took longer than {seconds:g} seconds") from None
        try:
            options = answers.asked(fields)
            await asyncio.wait_for(self.free.acquire(), seconds)
        except TimeoutError:
            folder.cleanup()
            raise HTTPException(
                503, f"busy for {seconds:g} seconds with other uploads; try again later"
            ) from None
        except BaseException:
            folder.cleanup()
            raise
        return await self._worked(folder, options)

    async def _worked(
        self, folder: tempfile.TemporaryDirectory, options: answers.Asked
    ) -> list[dict[str, Any]]:
        """The answer, or an error when it takes too long; the worker clears up, also when nobody
        waits any more.
        """
        path = next(Path(folder.name).iterdir())

        def work() -> list[dict[str, Any]]:
            with folder:
                return answers.answer(self.net, path, options, limit=self.limits.size)

        running = asyncio.get_running_loop().run_in_executor(self.workers, work)
        running.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(running), self.limits.seconds)
        except TimeoutError:
            seconds = f"{self.limits.seconds:g}"
            raise HTTPException(
                504, f"no answer within {seconds} seconds; cut {path.name!r} into parts"
            ) from None
        except UserError as error:
            raise UserError(_of_a_form(str(error), folder.name)) from error
        except (MemoryError, RecursionError) as error:
            raise HTTPException(
                413, f"{path.name!r} needs more memory than there is; cut it into parts"
            ) from error

    def _done(self, running: asyncio.Future) -> None:
        self.free.release()
        if not running.cancelled():
            running.exception()  # seen, also where its asker got a 504 before


def build(
    net: Predictor, limits: Limits | None = None, *, hosts: tuple[str, ...] = ("*",)
) -> Starlette:
    """The application.

    Args:
      net: the network that answers.
      limits: see `Limits`.
      hosts: names by which the server may be called; others are refused, as a page elsewhere could
        make up a name for this machine.
    """
    limits = limits or Limits()

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        app.state.desk = desk = Desk(net, limits)
        yield
        desk.workers.shutdown(wait=False, cancel_futures=True)

    async def predict(request: Request) -> Response:
        return await request.app.state.desk.predict(request)

    async def network(_: Request) -> Response:
        return JSONResponse(answers.about(net) | {"most_bytes": limits.size})

    async def page(_: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers=_HEADERS)

    routes = [
        Route("/", page),
        Route("/network", network),
        Route("/predict", predict, methods=["POST"]),
        Mount("/page", StaticFiles(directory=PAGE)),
    ]
    handlers = {UserError: _mistake, HTTPException: _refusal, Exception: _failure}
    middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)]
    return Starlette(
        routes=routes, middleware=middleware, exception_handlers=handlers, lifespan=life
    )


def hosts_of(address: str) -> tuple[str, ...]:
    """Names by which a server that is bound to `address` may be called: a loopback's own, else
    any.
    """
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = address == "localhost"
    return ("localhost", "127.0.0.1", "::1", "[::1]", address) if loopback else ("*",)


class _Limited(Request):
    """A request whose body ends in an error once it is larger than `most`."""

    most = 0

    async def stream(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self.most:
                raise HTTPException(413, _too_large(self.most - OVERHEAD))
            yield chunk


async def _received(
    request: Request, size: int
) -> tuple[tempfile.TemporaryDirectory, dict[str, str]]:
    """A temporary folder with the file of a form in it, and the form's other fields."""
    limited = _Limited(request.scope, request.receive)
    limited.most = size + OVERHEAD
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limited.most:
        await _drained(request, 4 * size)
        raise HTTPException(413, _too_large(size))
    try:
        async with limited.form(max_files=1, max_fields=16) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise UserError("no file; wanted a form (multipart/form-data) with the field file")
            if (file.size or 0) > size:
                raise HTTPException(413, _too_large(size))
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            return await _stored(file), fields
    except ClientDisconnect:
        raise HTTPException(400, "the upload broke off") from None


async def _drained(request: Request, most: int) -> None:
    """Reads on without keeping anything: who is still sending would not see an answer."""
    with contextlib.suppress(ClientDisconnect):
        async for chunk in request.stream():
            most -= len(chunk)
            if most < 0:
                return


def _too_large(size: int) -> str:
    return f"the upload is larger than {size / 1e6:.3g} MB; cut it into parts, or start the server with a larger --max-mb"


async def _stored(file: UploadFile) -> tempfile.TemporaryDirectory:
    """A temporary folder with the upload in it, under the last part of its name."""
    name = PurePosixPath((file.filename or "").replace("\\", "/")).name
    name = (
        "".join(letter if letter.isprintable() else "_" for letter in name).lstrip(".")[-100:]
        or "upload"
    )
    folder = tempfile.TemporaryDirectory(prefix="jaxact-serve-", ignore_cleanup_errors=True)
    try:
        with open(Path(folder.name) / name, "wb") as target:
            while chunk := await file.read(1 << 20):
                target.write(chunk)
    except BaseException:
        folder.cleanup()
        raise
    return folder


def _of_a_form(sentence: str, folder: str) -> str:
    """An error as one who sent a form reads it: without this machine's folders, options as
    fields.
    """
    sentence = re.sub(rf"{re.escape(folder)}/({uploads.UNZIPPED}\d+/)?", "", sentence)
    return sentence.replace(folder, "the upload").replace("--", "")


async def _mistake(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {"Retry-After": "10"} if error.status_code == 503 else {}
    return JSONResponse({"error": error.detail}, error.status_code, headers)


async def _failure(_: Request, error: Exception) -> Response:
    del error  # the server logs it
    return JSONResponse({"error": "the server failed; its log says why"}, 500)
