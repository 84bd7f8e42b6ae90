"""The operations of the API: each is a view, and what the OpenAPI document says of it, in one place."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError

from graphitepager.web.api import problems
from graphitepager.web.api.models import Fault, Page, Query
from graphitepager.web.api.problems import Refusal
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from collections.abc import Callable

    View = Callable[..., BaseModel | None]

_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path, which is as Flask writes it. `faults` are the statuses that are its own."""

    name: str
    method: str
    path: str
    about: str
    query: type[Query] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    faults: dict[int, str] = field(default_factory=dict)

    @property
    def is_safe(self) -> bool:
        return self.method == "GET"


class Operations:
    """All of them; they are registered on the blueprint as they are declared."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self.all: list[Operation] = []

    def add(self, method: str, path: str, **other: Any) -> Callable[[View], View]:
        """Serve it by the view, whose name and docstring are its own.

        The view gets the parameters of the path, and `query` and `body` where the operation has such.
        """

        def serve_by(view: View) -> View:
            about = " ".join((view.__doc__ or "").split())
            operation = Operation(name=view.__name__, method=method, path=path, about=about, **other)
            self.all.append(operation)

            @functools.wraps(view)
            def serve(**parameters: Any) -> Response:
                try:
                    return _answer(operation, view, parameters)
                except Refusal as refusal:
                    return problems.response(refusal.status, refusal.detail, refusal.faults)

            self._blueprint.add_url_rule(operation.path, operation.name, serve, methods=[operation.method])
            return view

        return serve_by


def _answer(operation: Operation, view: View, parameters: dict[str, Any]) -> Response:
    if not operation.is_safe:
        _require_authorization()
    parameters["query"] = _query(operation.query or Query)
    if operation.body is not None:
        parameters["body"] = _body(operation.body)
    if operation.query is None:
        del parameters["query"]
    answer = view(**parameters)
    if answer is None:
        return Response(status=operation.status)
    response = Response(answer.model_dump_json(), operation.status, mimetype=_JSON)
    if isinstance(answer, Page) and answer.next is not None:
        parts = urlencode({**request.args, "cursor": answer.next})
        response.headers["Link"] = f'<{request.script_root}{request.path}?{parts}>; rel="next"'
    return response


def _require_authorization() -> None:
    """What a browser sends by itself, such as a cookie of a proxy, is not enough to change anything."""
    if this_site().settings.is_guarded and request.authorization is None:
        raise Refusal(
            403, "To change something, send an Authorization header: WEB_TOKEN as a bearer token, for example."
        )


def _query(model: type[Query]) -> Any:
    doubled = [name for name in request.args if len(request.args.getlist(name)) > 1]
    faults = [Fault(name=name, detail="it stands there more than once") for name in doubled]
    try:
        query = model.model_validate_strings(request.args.to_dict())
    except ValidationError as error:
        faults += problems.faults_of(error)
    if faults:
        raise Refusal(400, "There is something wrong with the parameters.", faults)
    return query


def _body(model: type[BaseModel]) -> Any:
    if request.mimetype != _JSON:
        raise Refusal(415, f"Send the body as {_JSON}.")
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        is_json = not any(one["type"] == "json_invalid" for one in error.errors())
        if not is_json:
            raise Refusal(400, "The body is no JSON.", problems.faults_of(error)) from None
        raise Refusal(422, "There is something wrong with the body.", problems.faults_of(error)) from None
