"""HTTP for cameras: `POST /live` opens a session, `POST /live/SESSION` processes a frame of it, and
`DELETE /live/SESSION` closes it.

The session's owner is whoever knows its key, which is random.
"""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jaxact.serve.limits import Limits
from jaxact.serve.live import LiveSessions
from jaxact.serve.requests import check_site, parse_time, receive_frame

NO_ESTIMATOR = (
    "this server has no pose estimator, so it processes no camera; start it with --pose SPEC"
)


def live_routes(limits: Limits) -> list[Route]:
    """Returns the routes of cameras; the application's `state.live` holds the sessions."""

    async def open_session(request: Request) -> Response:
        check_site(request)
        return JSONResponse(await _sessions(request).open(), 201)

    async def process_frame(request: Request) -> Response:
        check_site(request)
        sessions, key = _sessions(request), request.path_params["session"]
        sessions.check(key)
        seconds = parse_time(request)
        try:
            receiving = receive_frame(request, limits.frame_bytes)
            content = await asyncio.wait_for(receiving, limits.timeout)
        except TimeoutError:
            raise HTTPException(
                408, f"the frame took longer than {limits.timeout:g} seconds"
            ) from None
        return JSONResponse(await sessions.process(key, content, seconds))

    async def close_session(request: Request) -> Response:
        check_site(request)
        _sessions(request).close(request.path_params["session"])
        return Response(status_code=204)

    return [
        Route("/live", open_session, methods=["POST"]),
        Route("/live/{session}", process_frame, methods=["POST"]),
        Route("/live/{session}", close_session, methods=["DELETE"]),
    ]


def _sessions(request: Request) -> LiveSessions:
    sessions = request.app.state.live
    if sessions is None:
        raise HTTPException(404, NO_ESTIMATOR)
    return sessions
