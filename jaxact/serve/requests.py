"""Uploads and frames received from HTTP requests, with a limit on their size."""

import contextlib
import math
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from jaxact.errors import UserError

OVERHEAD = 64 << 10  # bytes of a form beside its file
MAX_TIME = 1e9  # seconds of a camera's clock


def check_site(request: Request) -> None:
    """Checks that a request comes from this server's own page or from a program.

    Raises:
        HTTPException: it comes from another site's page.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise HTTPException(
            403,
            "the request comes from another site's page; "
            "only this server's own page and programs may send requests",
        )


async def receive_frame(request: Request, max_bytes: int) -> bytes:
    """Receives a frame: the body of a request.

    Raises:
        HTTPException: the frame is too large, or the client disconnected.
    """
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > max_bytes:
                raise HTTPException(413, f"the frame is larger than {max_bytes / 1e6:.3g} MB")
    except ClientDisconnect:
        raise HTTPException(400, "the frame was interrupted") from None
    return bytes(content)


def parse_time(request: Request) -> float | None:
    """Parses the query's `time`: seconds from 0; None where it is absent.

    Raises:
        UserError: it is no such number.
    """
    text = request.query_params.get("time")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < MAX_TIME:
        raise UserError(f"time is {text!r}; wanted seconds from 0")
    return seconds


async def receive_upload(
    request: Request, max_bytes: int
) -> tuple[tempfile.TemporaryDirectory, dict[str, str]]:
    """Receives a form: a temporary folder with its file, and its other fields.

    Raises:
        UserError: no file.
        HTTPException: the upload is too large, or the client disconnected.
    """
    limited = _LimitedRequest(request.scope, request.receive)
    limited.max_bytes = max_bytes + OVERHEAD
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limited.max_bytes:
        await _drain(request, 4 * max_bytes)
        raise _too_large(max_bytes)
    try:
        async with limited.form(max_files=1, max_fields=16) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise UserError("no file; wanted a form (multipart/form-data) with the field file")
            if (file.size or 0) > max_bytes:
                raise _too_large(max_bytes)
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            return await _store(file), fields
    except ClientDisconnect:
        raise HTTPException(400, "the upload was interrupted") from None


class _LimitedRequest(Request):
    """A request that fails once its body is larger than `max_bytes`."""

    max_bytes = 0

    async def stream(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self.max_bytes:
                raise _too_large(self.max_bytes - OVERHEAD)
            yield chunk


async def _drain(request: Request, limit: int) -> None:
    """Reads and discards a body: a client that is still sending would not read the response."""
    with contextlib.suppress(ClientDisconnect):
        async for chunk in request.stream():
            limit -= len(chunk)
            if limit < 0:
                return


def _too_large(max_bytes: int) -> HTTPException:
    return HTTPException(
        413,
        f"the upload is larger than {max_bytes / 1e6:.3g} MB; "
        "cut it into parts, or start the server with a larger --max-mb",
    )


async def _store(file: UploadFile) -> tempfile.TemporaryDirectory:
    """Writes the upload to a temporary folder, under the last part of its name."""
    base = PurePosixPath((file.filename or "").replace("\\", "/")).name
    printable = "".join(letter if letter.isprintable() else "_" for letter in base)
    name = printable.lstrip(".")[-100:] or "upload"
    folder = tempfile.TemporaryDirectory(prefix="jaxact-serve-", ignore_cleanup_errors=True)
    try:
        with open(Path(folder.name) / name, "wb") as target:
            while chunk := await file.read(1 << 20):
                target.write(chunk)
    except BaseException:
        folder.cleanup()
        raise
    return folder
