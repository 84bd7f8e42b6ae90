"""app.json, which Heroku's button asks its questions by: what it names exists, and a review app pages nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphitepager.config.schema import Variables
from graphitepager.config.sections import key_names, unused_keys

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = json.loads((ROOT / "app.json").read_text())
# devcenter.heroku.com/articles/app-json-schema
KEYS = {
    "addons", "buildpacks", "description", "env", "environments", "formation", "image", "keywords", "logo", "name",
    "repository", "scripts", "stack", "success_url", "website",
}  # fmt: skip
ENV_KEYS = {"description", "value", "required", "generator"}


def test_it_has_the_shape_that_heroku_wants() -> None:
    assert MANIFEST.keys() <= KEYS
    assert 3 <= len(MANIFEST["name"]) <= 30
    assert len(MANIFEST["description"]) <= 140
    assert all(isinstance(addon, str) for addon in MANIFEST["addons"])
    assert MANIFEST["formation"].keys() == {"worker", "web"}
    assert all(dyno.keys() == {"quantity", "size"} for dyno in MANIFEST["formation"].values())


@pytest.mark.parametrize("name", MANIFEST["env"])
def test_it_asks_for_nothing_that_is_not_read(name: str) -> None:
    question = MANIFEST["env"][name]
    assert question.keys() <= ENV_KEYS
    assert question["description"]
    known = {key.upper() for key in key_names(Variables) - unused_keys(Variables).keys()}
    assert name in known


def test_it_insists_on_nothing_but_graphite() -> None:
    asked = {name for name, one in MANIFEST["env"].items() if one.get("required", True) and "generator" not in one}
    assert asked == {"GRAPHITE_URL"}


def test_a_worker_that_sleeps_is_none() -> None:
    assert "eco" not in {dyno["size"] for dyno in MANIFEST["formation"].values()}


def test_a_review_app_has_a_database_and_no_worker_that_would_page_as_well() -> None:
    review = MANIFEST["environments"]["review"]
    assert review["formation"]["worker"]["quantity"] == 0
    assert any(addon.startswith("heroku-postgresql") for addon in review["addons"])
