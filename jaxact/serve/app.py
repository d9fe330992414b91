"""HTTP application: the web page, `GET /network`, `POST /predict` and `POST /live`, with limits.

An error is {"error": one sentence}, with status 400 for invalid input, 403 for a request from
another site's page, 404 for a camera's session that does not exist, 408 for a slow upload, 409 for
a frame before the previous one is processed, 413 for a large upload, 503 for too many at once, 504
for a prediction that takes too long, and 500 for an error of the server.
"""

import asyncio
import concurrent.futures
import contextlib
import ipaddress
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from jaxact.errors import UserError
from jaxact.inference.predictor import Predictor
from jaxact.serve import predictions, uploads
from jaxact.serve.estimator_pool import EstimatorPool
from jaxact.serve.limits import Limits
from jaxact.serve.live import LiveSessions
from jaxact.serve.live_routes import live_routes
from jaxact.serve.options import Options, parse_options
from jaxact.serve.requests import check_site, receive_upload

PAGE = Path(__file__).parent / "page"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class PredictionQueue:
    """Predicts uploads in worker threads; uploads beyond `Limits.concurrent` wait."""

    def __init__(
        self, predictor: Predictor, limits: Limits, pool: EstimatorPool | None = None
    ) -> None:
        self.predictor, self.limits, self.pool = predictor, limits, pool
        self.pending = 0
        self.free_workers = asyncio.Semaphore(limits.concurrent)
        self.workers = concurrent.futures.ThreadPoolExecutor(limits.concurrent, "jaxact-predict")

    async def predict(self, request: Request) -> JSONResponse:
        """Handles `POST /predict`: a form of `file` and the fields of `options.Options`."""
        check_site(request)
        if self.pending >= self.limits.concurrent + self.limits.queued:
            raise HTTPException(
                503, f"{self.pending} uploads are being predicted or wait; try again later"
            )
        self.pending += 1
        try:
            clips = await self._receive_and_predict(request)
        finally:
            self.pending -= 1
        return JSONResponse({"step": self.predictor.net.step, "clips": clips})

    async def _receive_and_predict(self, request: Request) -> list[dict[str, Any]]:
        timeout, max_bytes = self.limits.timeout, self.limits.max_bytes
        try:
            folder, fields = await asyncio.wait_for(receive_upload(request, max_bytes), timeout)
        except TimeoutError:
            raise HTTPException(408, f"the upload took longer than {timeout:g} seconds") from None
        try:
            options = parse_options(fields)
            await asyncio.wait_for(self.free_workers.acquire(), timeout)
        except TimeoutError:
            folder.cleanup()
            raise HTTPException(
                503, f"busy with other uploads for {timeout:g} seconds; try again later"
            ) from None
        except BaseException:
            folder.cleanup()
            raise
        return await self._run_in_worker(folder, options)

    async def _run_in_worker(
        self, folder: tempfile.TemporaryDirectory, options: Options
    ) -> list[dict[str, Any]]:
        """Predicts an upload; the worker deletes its folder, even after a timeout."""
        path = next(Path(folder.name).iterdir())

        def work() -> list[dict[str, Any]]:
            with folder:
                return predictions.predict_upload(
                    self.predictor,
                    path,
                    options,
                    limit=self.limits.max_bytes,
                    pool=self.pool,
                    timeout=self.limits.timeout,
                )

        running = asyncio.get_running_loop().run_in_executor(self.workers, work)
        running.add_done_callback(self._release_worker)
        try:
            return await asyncio.wait_for(asyncio.shield(running), self.limits.timeout)
        except TimeoutError:
            timeout = f"{self.limits.timeout:g}"
            raise HTTPException(
                504, f"no prediction within {timeout} seconds; cut {path.name!r} into parts"
            ) from None
        except UserError as error:
            raise UserError(_for_web_users(str(error), folder.name)) from error
        except (MemoryError, RecursionError) as error:
            raise HTTPException(
                413, f"{path.name!r} needs more memory than there is; cut it into parts"
            ) from error

    def _release_worker(self, running: asyncio.Future) -> None:
        self.free_workers.release()
        if not running.cancelled():
            running.exception()  # retrieved, so that asyncio does not log it after a timeout


def build(
    predictor: Predictor,
    limits: Limits | None = None,
    *,
    hosts: tuple[str, ...] = ("*",),
    pool: EstimatorPool | None = None,
) -> Starlette:
    """Builds the application.

    Args:
        predictor: the network.
        limits: see `Limits`.
        hosts: host names that requests may use. Others are refused, since another site could make
            up a name for this machine.
        pool: pose estimators, for the videos and cameras of a network that reads joints; None for
            neither.
    """
    limits = limits or Limits()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.queue = queue = PredictionQueue(predictor, limits, pool)
        app.state.live = None
        async with contextlib.AsyncExitStack() as stack:
            if pool is not None:
                live = LiveSessions(pool, predictor.net, limits)
                app.state.live = await stack.enter_async_context(live)
            yield
        queue.workers.shutdown(wait=False, cancel_futures=True)

    async def predict(request: Request) -> Response:
        return await request.app.state.queue.predict(request)

    async def network(_: Request) -> Response:
        description = predictions.describe_network(predictor)
        description |= {"most_bytes": limits.max_bytes, "poses": pool is not None}
        return JSONResponse(description)

    async def page(_: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers=_HEADERS)

    routes = [
        Route("/", page),
        Route("/network", network),
        Route("/predict", predict, methods=["POST"]),
        *live_routes(limits),
        Mount("/page", StaticFiles(directory=PAGE)),
    ]
    handlers = {UserError: _on_user_error, HTTPException: _on_http_error, Exception: _on_failure}
    middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)]
    return Starlette(
        routes=routes, middleware=middleware, exception_handlers=handlers, lifespan=lifespan
    )


def allowed_hosts(address: str) -> tuple[str, ...]:
    """Returns the host names for a server at `address`: local names for a loopback, else any."""
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = address == "localhost"
    if not loopback:
        return ("*",)
    return ("localhost", "127.0.0.1", "::1", "[::1]", address)


def _for_web_users(message: str, folder: str) -> str:
    """Rewrites an error for a form: without this machine's folders, and options as fields."""
    message = re.sub(rf"{re.escape(folder)}/({uploads.UNZIPPED}\d+/)?", "", message)
    return message.replace(folder, "the upload").replace("--", "")


async def _on_user_error(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _on_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {"Retry-After": "10"} if error.status_code == 503 else {}
    return JSONResponse({"error": error.detail}, error.status_code, headers)


async def _on_failure(_: Request, error: Exception) -> Response:
    del error  # the server logs it
    return JSONResponse({"error": "the server failed; its log states the reason"}, 500)
