"""Additions to FastAPI's OpenAPI document: request bodies read raw, and problem details."""

from typing import Any

from pydantic import BaseModel

from api.errors import MEDIA_TYPE

_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_MEANING = {
    400: "The body is not JSON",
    401: "The secret or signature is not that of the route",
    404: "Nothing has that id",
    409: "The id belongs to other content, or the action does not go with the state",
    413: "The body is too large",
    415: "The body is packed otherwise than by gzip or zstd",
    422: "Fields are wrong; `errors` names each",
    503: "A server that is needed does not answer; retry after `Retry-After` seconds",
}


def body_of(model: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    """`openapi_extra` for a route that reads its body itself."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def _inlined(tree: Any, definitions: dict[str, Any]) -> Any:
    """A schema within the document cannot refer to definitions of its own root."""
    if isinstance(tree, list):
        return [_inlined(each, definitions) for each in tree]
    if not isinstance(tree, dict):
        return tree
    if "$ref" in tree:
        return _inlined(definitions[tree["$ref"].rpartition("/")[2]], definitions)
    return {key: _inlined(value, definitions) for key, value in tree.items()}


def problems(*statuses: int) -> dict[str, Any]:
    """`responses` of a route; those of a submission unless statuses are given."""
    content = {MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA}}
    return {
        "responses": {
            status: {"description": _MEANING[status], "content": content}
            for status in statuses or (400, 409, 413, 415, 422, 503)
        }
    }
