"""The reference of the API is what its description says."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING

import jsonschema
import pytest

from graphitepager.web.api import openapi, operations
from tests.documented import DOCS

if TYPE_CHECKING:
    from graphitepager.web.api.operations import Operation


def test_the_page_is_up_to_date() -> None:
    written = runpy.run_path(str(DOCS / "api_page.py"))["page"]()
    assert (DOCS / "reference" / "api.md").read_text() == written, "run: .venv/bin/python docs/api_page.py"


@pytest.mark.parametrize("operation", operations.all, ids=lambda operation: operation.name)
def test_every_operation_says_what_it_is_for(operation: Operation) -> None:
    assert operation.about.endswith(".")
    for model in (operation.query, operation.body):
        for name, field in (model.model_fields if model else {}).items():
            assert field.description, name


def test_every_schema_in_the_document_is_one() -> None:
    document = openapi.document(operations.all, is_guarded=True)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
