"""Whatever is asked of the API, its answers are as its OpenAPI document says, and what that forbids is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance
from sqlalchemy.engine import URL

from graphitepager.store import Store
from graphitepager.web.api import models, operations
from tests.integration.web_scene import bad_night
from tests.integration.web_support import app_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.web.api.operations import Operation

# That a matcher means something, or that one of two fields is there, no schema of this size can say.
_MORE_THAN_A_SCHEMA = {("POST", "/api/v1/silences")}

# What is wrong with a request may also be its size.
_REFUSED = ["400", "401", "403", "404", "405", "413", "415", "422", "429"]
_CONFIG = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": _REFUSED}}})


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The document of a site after a bad night, as it is served."""
    folder = tmp_path_factory.mktemp("night")
    with Store.open(URL.create("sqlite", database=str(folder / "state.db"))) as store:
        yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app_of(bad_night(store)), config=_CONFIG)


def cases() -> Iterator[Any]:
    """Each operation with good requests, and, where there is anything to be wrong in one, with bad ones."""
    for operation in operations.all:
        yield pytest.param(operation, GenerationMode.POSITIVE, id=f"{operation.name}-good")
        if operation.query or operation.body or "<" in operation.path:
            yield pytest.param(operation, GenerationMode.NEGATIVE, id=f"{operation.name}-bad")


@pytest.mark.parametrize(("operation", "mode"), list(cases()))
def test_every_answer_is_as_the_document_says(described: Any, operation: Operation, mode: GenerationMode) -> None:
    """Requests as the document allows them are answered as it says, all others are refused as it says."""
    path = "/api/v1" + operation.path.replace("<int:silence_id>", "{silence_id}")
    is_more = (operation.method, path) in _MORE_THAN_A_SCHEMA

    @given(case=described[path][operation.method].as_strategy(generation_mode=mode))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if is_more else [])

    ask()


def test_a_silence_that_the_document_gives_as_an_example_is_taken(described: Any) -> None:
    fields = models.NewSilence.model_fields
    examples = {name: (fields[name].examples or [None])[0] for name in ("matchers", "comment", "length")}
    case = described["/api/v1/silences"]["POST"].Case(body=examples | {"author": "ann"}, media_type="application/json")
    response = case.call()
    assert response.status_code == 201, response.text
    case.validate_response(response)
