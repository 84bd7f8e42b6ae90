"""The OpenAPI 3.1 document, made of the operations and their models."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from graphitepager import __version__
from graphitepager.web.api import problems
from graphitepager.web.api.models import LARGEST_ID, Problem, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from graphitepager.web.api.operations import Operation

_PATH_PARAMETER = re.compile(r"<int:(\w+)>")
_ABOUT = (
    "What graphite-pager knows, and silences. Times are UTC, as RFC 3339 has them. Lists come in pages: as long as"
    " `next` is not null, ask again with it as `cursor`. What goes wrong is told as problem+json."
)
USUAL_FAULTS = {
    400: "A parameter or the body cannot be read.",
    401: "Nobody has logged in, or not rightly.",
    429: "Too many failed logins from this address: wait a little.",
    503: "The pager's database cannot be read.",
}
_FAULTS_OF_CHANGES = {403: "It comes from a page elsewhere, or has no Authorization header."}
_FAULTS_OF_BODIES = {
    413: "The body is too large.",
    415: "The body is not sent as application/json.",
}


def document(operations: Iterable[Operation], *, is_guarded: bool) -> dict[str, Any]:
    """The whole API. `is_guarded`: somebody who asks has to log in."""
    every = list(operations)
    models = {model for one in every for model in (one.body, one.answer) if model is not None}
    paths: dict[str, dict[str, Any]] = {}
    for one in every:
        path = "/api/v1" + _PATH_PARAMETER.sub(r"{\1}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, is_guarded)
    return {
        "openapi": "3.1.0",
        "info": {"title": "graphite-pager", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": schema_of(*sorted(models, key=lambda model: model.__name__), Problem),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "WEB_TOKEN."},
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "WEB_USER and WEB_PASSWORD; or any name, and WEB_TOKEN as the password.",
                },
            },
        },
        "security": [{"token": []}, {"password": []}] if is_guarded else [],
    }


def _operation(one: Operation, is_guarded: bool) -> dict[str, Any]:  # noqa: FBT001 - inside the module
    faults = dict(USUAL_FAULTS)
    if not is_guarded:
        del faults[401], faults[429]
    if not one.is_safe:
        faults |= _FAULTS_OF_CHANGES
    if one.body is not None:
        faults |= _FAULTS_OF_BODIES
    faults |= one.faults
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.about,
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": {
            str(one.status): _success(one),
            **{str(status): _problem(about) for status, about in sorted(faults.items())},
        },
    }
    if one.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(one.body)}}}
    return described


def _success(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(one.status).phrase}
    if one.answer is not None:
        described["content"] = {"application/json": {"schema": _ref(one.answer)}}
    return described


def _problem(about: str) -> dict[str, Any]:
    return {"description": about, "content": {problems.MEDIA_TYPE: {"schema": _ref(Problem)}}}


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema} for name in _PATH_PARAMETER.findall(one.path)
    ]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    made = one.query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.get("description", ""),
            "schema": _plain(schema, made.get("$defs", {})),
        }
        for name, schema in made["properties"].items()
    ]


def _plain(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: null is no value that it could have."""
    kept = {key: value for key, value in schema.items() if key not in {"title", "description", "anyOf", "default"}}
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            kept |= choice
    if "$ref" in kept:
        kept |= definitions[kept.pop("$ref").rpartition("/")[2]]
        kept = {key: value for key, value in kept.items() if key not in {"title", "description"}}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    return kept


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
