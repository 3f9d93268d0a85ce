"""Calls of the local API, and how what it refuses is told."""

from __future__ import annotations

from typing import Any

_TIMEOUT_SECONDS = 30.0


def asked(method: str, path: str, about: str, **given: Any) -> dict[str, Any]:
    """The answer's JSON. `about` names what an error is about.

    Raises UnavailableError where the API does not answer, InvalidInputError where it refuses.
    """
    import httpx

    from domain.errors import InvalidInputError, UnavailableError
    from runtime.settings import load_settings

    url = load_settings().api_url
    try:
        answer = httpx.request(method, f"{url}{path}", timeout=_TIMEOUT_SECONDS, **given)
        body: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        told = f"does not answer at {url} ({error}): start it with `./retrace up`"
        raise UnavailableError("API", told) from error
    if answer.status_code >= 500:
        raise UnavailableError("API", str(body.get("detail", answer.status_code)))
    if answer.is_error:
        raise InvalidInputError(about, str(body.get("detail", answer.status_code)))
    return body
