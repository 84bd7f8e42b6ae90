"""What editors and the reference are told about alerts.yml."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from graphitepager.config.schema import (
    AlertEntry,
    AlertsFile,
    ClearKeys,
    CompareKeys,
    ExpectKeys,
    LevelDurations,
    MuteKeys,
    NotifyKeys,
    PagerdutyKeys,
    RatioKeys,
    SeverityKeys,
    json_schema,
)
from graphitepager.notifiers import SECTIONS

if TYPE_CHECKING:
    from pydantic import BaseModel

DATA = Path(__file__).parent.parent / "data"
ALERT = {"name": "Load", "target": "servers.*.load", "warning": 5, "critical": 10}


@functools.cache
def editor() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema(SECTIONS))


def is_accepted(data: dict[str, Any]) -> bool:
    return editor().is_valid(data)


def test_the_json_schema_is_one() -> None:
    schema = json_schema(SECTIONS)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in schema


@pytest.mark.parametrize("name", ["readme_example", "heroku_example", "every_old_key"])
def test_an_editor_accepts_the_files_of_the_old_program(name: str) -> None:
    assert is_accepted(yaml.safe_load((DATA / f"{name}.yml").read_text()))


@pytest.mark.parametrize(
    "extra",
    [
        {"warning": "5"},
        {"warning": 0.5},
        {"name": 404},
        {"allow_no_data": "yes"},
        {"allow_no_data": True},
        {"exclude": "one"},
        {"until": None},
        {"page_on": "critical"},
        {"for": "5min"},
        {"for": 300},
        {"for": "1 hour 30 minutes", "keep_firing_for": "0"},
        {"for": {"warning": "10min"}, "clear": {"critical": 60}},
        {"no_data": "ok", "on_vanish": "resolve", "value": "p95"},
        {"repeat_interval": "never"},
        {"repeat_interval": "1h"},
        {"depends_on": "Switch"},
        {"mute": "nights"},
        {"mute": ["nights", {"days": "fri-mon", "from": "22:00", "until": "24:00", "levels": "warning"}]},
        {"mute": {"days": ["sat", "Sunday"]}},
        {"warning": "> 80%", "critical": "outside 10 .. 20ms", "unit": "ms"},
        {"clear": {"critical": "400ms"}},
        {"include": "web*", "exclude": ["/^x/"], "delay": "60s", "interval": "5min"},
        {"expect_series": {"min": 3, "max": "10", "level": "warning"}},
        {"compare": {"with": "1week"}},
        {"compare": {"with": 86400, "as": "difference"}},
        {"summary": "{{ value }}", "labels": {"team": "dba", "rack": 4}, "runbook": "https://wiki/{{ alert }}"},
        {"severity": "info", "notify": "dba"},
        {"severity": {"warning": "info"}, "notify": {"critical": ["dba"], "no_data": "dba"}},
        {"notify": ["dba", "console"]},
        {"for_each": {"env": ["prod", 1], "kind": "a"}, "critical": "{env}"},
        {"for_each": [{"env": "prod", "threshold": 90}]},
        {"use": "host/load", "with": {"hosts": "web*", "limit": 3}},
    ],
)
def test_an_editor_accepts_what_the_program_accepts(extra: dict[str, Any]) -> None:
    assert is_accepted({"alerts": [ALERT | extra], "x-anchors": {}})


@pytest.mark.parametrize(
    "extra",
    [
        {"warning": "ten"},
        {"warning": None},
        {"waring": 5},
        {"page_on": ["nominal"]},
        {"pagerduty_key": "short"},
        {"for": "5x"},
        {"for": {"nominal": "5min"}},
        {"repeat_interval": "always"},
        {"value": "mean"},
        {"storm_limit": 0},
        {"mute": {"dayz": "mon"}},
        {"mute": {"from": "24:00"}},
        {"mute": [{"until": "25:00"}]},
        {"warning": "=> 5"},
        {"warning": "> 5 apples"},
        {"unit": "apples"},
        {"expect_series": {"min": -1}},
        {"compare": {"as": "percent"}},
        {"compare": {"with": "1d", "as": "share"}},
        {"ratio": {"of": "a", "to": "b"}},
        {"severity": "high"},
        {"severity": {"nominal": "info"}},
        {"notify": []},
        {"notify": {"nominal": "dba"}},
        {"labels": ["dba"]},
        {"for_each": {}},
        {"for_each": {"env": []}},
        {"for_each": [["prod"]]},
        {"with": ["x"]},
    ],
)
def test_an_editor_underlines_what_the_program_refuses(extra: dict[str, Any]) -> None:
    assert not is_accepted({"alerts": [ALERT | extra]})
    assert not is_accepted({"alerts": []})
    assert not is_accepted({"alerts": [ALERT], "heartbeat_seconds": 0})


@pytest.mark.parametrize(
    ("thresholds", "is_enough"),
    [
        ({"critical": "> 5"}, True),
        ({"warning": "outside 1..2"}, True),
        ({"critical": 5}, False),
        ({"critical": "5"}, False),
        ({}, False),
    ],
)
def test_an_editor_knows_when_one_threshold_is_enough(thresholds: dict[str, Any], is_enough: bool) -> None:
    alert = {key: value for key, value in ALERT.items() if key not in {"warning", "critical"}}
    assert is_accepted({"alerts": [alert | thresholds]}) is is_enough


@pytest.mark.parametrize(
    "ratio",
    [
        {"of": "a.*", "to": "b.*"},
        {"of": "a.*", "to": "b.*", "by": 1, "scale": 100, "rate": True},
        {"of": "a.*", "to": "b.*", "by": [1, -2, "host"]},
    ],
)
def test_an_editor_accepts_a_ratio_in_place_of_a_target(ratio: dict[str, Any]) -> None:
    alert = {key: value for key, value in ALERT.items() if key != "target"}
    assert is_accepted({"alerts": [alert | {"ratio": ratio}]})
    assert not is_accepted({"alerts": [alert]})
    assert not is_accepted({"alerts": [alert | {"ratio": {"of": "a"}}]})


@pytest.mark.parametrize(
    ("data", "is_complete"),
    [
        ({"alerts": [{"use": "host/load"}]}, True),
        ({"include": "alerts.d/*.yml"}, True),
        ({"include": ["a.yml"], "alerts": [ALERT]}, True),
        ({"defaults": {"warning": 1, "critical": 2}, "alerts": [{"name": "a", "target": "t"}]}, True),
        ({"alerts": [{"name": "a", "target": "t"}]}, False),
        ({"defaults": {"warning": 1}, "alerts": [{"name": "a"}]}, False),
        ({"defaults": {"waring": 1}, "alerts": [ALERT]}, False),
        ({"defaults": {"name": "a"}, "alerts": [ALERT]}, False),
        ({"include": {"a": "b"}, "alerts": [ALERT]}, False),
        ({}, False),
    ],
)
def test_an_editor_knows_what_must_stand_in_a_file(data: dict[str, Any], *, is_complete: bool) -> None:
    assert is_accepted(data) is is_complete


MAPPINGS = [
    AlertsFile,
    AlertEntry,
    PagerdutyKeys,
    LevelDurations,
    ClearKeys,
    ExpectKeys,
    MuteKeys,
    RatioKeys,
    CompareKeys,
    NotifyKeys,
    SeverityKeys,
    *SECTIONS.values(),
]


@pytest.mark.parametrize("section", MAPPINGS)
def test_every_key_says_what_it_is_for_and_shows_an_example(section: type[BaseModel]) -> None:
    lacking = [name for name, field in section.model_fields.items() if not (field.description and field.examples)]
    assert lacking == []
