"""What goes wrong with a request to the API, as problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response

from graphitepager.web.api.models import Fault, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError

MEDIA_TYPE = "application/problem+json"
_VALUE_ERROR = "Value error, "


class Refusal(Exception):  # noqa: N818 - an answer, not an error of the program
    """Ends a request with this status."""

    def __init__(self, status: int, detail: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = list(faults)


def response(status: int, detail: str, faults: Iterable[Fault] = ()) -> Response:
    """The answer."""
    title = HTTPStatus(status).phrase
    problem = Problem(title=title, status=status, detail=detail, faults=list(faults))
    return Response(problem.model_dump_json(), status, mimetype=MEDIA_TYPE)


def faults_of(error: ValidationError) -> list[Fault]:
    """What pydantic found, without what it was given: that may be a secret that somebody has sent by mistake."""
    return [
        Fault(name=".".join(map(str, one["loc"])), detail=one["msg"].removeprefix(_VALUE_ERROR))
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
