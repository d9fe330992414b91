"""Uploads received from HTTP requests, with a limit on their size."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from jaxact.errors import UserError

OVERHEAD = 64 << 10  # bytes of a form beside its file


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
