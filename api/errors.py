"""The only map from errors to HTTP: problem details (RFC 9457) that name the field."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.body import BodyTooLargeError
from commands.intake.payload import MalformedPayloadError
from domain.errors import (
    ConflictError,
    InvalidInputError,
    InvalidTransactionError,
    NotFoundError,
    RetraceError,
    UnavailableError,
    UnverifiedError,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:retrace:problem:"

# The first match wins: subclasses come before their bases.
_STATUS: tuple[tuple[type[RetraceError], int, str], ...] = (
    (MalformedPayloadError, 400, "malformed-body"),
    (BodyTooLargeError, 413, "body-too-large"),
    (InvalidInputError, 422, "invalid-input"),
    (NotFoundError, 404, "not-found"),
    (ConflictError, 409, "conflict"),
    (UnverifiedError, 401, "unverified"),
    (UnavailableError, 503, "unavailable"),
    (RetraceError, 500, "internal"),
)


def problem(error: RetraceError, instance: str | None = None) -> tuple[int, dict[str, Any]]:
    """Status and problem-details object; `errors` lists every field that is wrong."""
    status, kind = next((s, k) for cls, s, k in _STATUS if isinstance(error, cls))
    body = _body(status, kind, str(error), instance)
    if isinstance(error, InvalidTransactionError):
        body["errors"] = [{"field": e.field, "message": e.message} for e in error.errors]
    elif isinstance(error, InvalidInputError):
        body["errors"] = [{"field": error.field, "message": error.message}]
    elif isinstance(error, UnavailableError):
        body["server"] = error.server
    return status, body


def install(app: FastAPI) -> None:
    """Makes every error of every route a problem detail."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Exception, _on_unexpected)


async def response_to(request: Request, error: Exception) -> JSONResponse | None:
    """As the application answers; None where it does not expect the error."""
    for kind, handler in _HANDLERS.items():
        if isinstance(error, kind):
            return await handler(request, error)
    return None


async def _on_retrace_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RetraceError)
    status, body = problem(error, _instance(request))
    headers = {}
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = str(error.retry_after)
    return _response(status, body, headers)


async def _on_bad_parameters(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"field": str(e["loc"][-1]) if e["loc"] else "request", "message": e["msg"]}
        for e in error.errors()
    ]
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
    body = _body(422, "invalid-input", detail, _instance(request)) | {"errors": errors}
    return _response(422, body)


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    body = _body(error.status_code, kind, str(error.detail), _instance(request))
    return _response(error.status_code, body, dict(error.headers or {}))


async def _on_hang_up(_request: Request, _error: Exception) -> JSONResponse:
    # Nobody reads it; where an overload makes clients give up, logging each would add to the load.
    return JSONResponse(None, 499)


async def _on_unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    detail = "an unexpected error; the server's log tells more"
    return _response(500, _body(500, "internal", detail, _instance(request)))


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[JSONResponse]]] = {
    RetraceError: _on_retrace_error,
    RequestValidationError: _on_bad_parameters,
    HTTPException: _on_http_error,
    ClientDisconnect: _on_hang_up,
}


def _instance(request: Request) -> str:
    # The decoded path may hold characters that end a path, such as `?`.
    return quote(request.scope["path"])


def _body(status: int, kind: str, detail: str, instance: str | None) -> dict[str, Any]:
    body = {
        "type": _TYPE + kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return body | ({"instance": instance} if instance else {})


def _response(
    status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)
