"""Entries as YAML that people can read, and that means the same when it is read again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.config.plainyaml import as_yaml, tidy
from graphitepager.config.yamlsource import parse
from graphitepager.library import Library
from graphitepager.model import Event, EventKind, SeriesKey
from graphitepager.redaction import MASK
from graphitepager.rules import Level
from graphitepager.wording import words_for
from tests.documented import ENVIRON as EXAMPLES_ENVIRON
from tests.documented import ROOT, examples
from tests.examples import NOON, PAGERDUTY_KEY
from tests.unit.config_support import ENVIRON, alert_with, file_with, load

if TYPE_CHECKING:
    from graphitepager.config import Loaded
    from graphitepager.config.yamlsource import Data
    from graphitepager.rules import Alert, Entry
    from graphitepager.wording import Words

SLACK_URL = "https://hooks.slack.com/services/T000/B000/secret"
LIBRARY = Library()
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\n\x85\u2028\u2029 "))


def test_nothing_is_quoted_without_need() -> None:
    entry: Data = {"name": "a b", "warning": "5", "from": "22:00", "mute": ["on", "yes"], "target": "~"}
    assert as_yaml(entry) == "name: a b\nwarning: 5\nfrom: 22:00\nmute:\n  - on\n  - yes\ntarget: '~'\n"


@given(TEXTS, TEXTS)
def test_what_is_written_is_read_again(key: str, value: str) -> None:
    data: Data = {"name": value, "list": [value, "x"], "inner": {f"k{key}"[:100]: value}}
    document, problems = parse(as_yaml(data), "")
    assert not problems
    assert document is not None
    assert document.data == data


@pytest.mark.parametrize(
    "text", ["a\x85b", "a\u2028b", "a\u2029 b", "a\n\u2028b", "a\nb", "a\nb\n", "\na\n\n", " a\nb", "a \nb"]
)
def test_a_text_of_several_lines_is_read_again(text: str) -> None:
    document, problems = parse(as_yaml({"summary": text, "list": [text]}), "")
    assert not problems
    assert document is not None
    assert document.data == {"summary": text, "list": [text]}


def test_a_text_of_several_lines_stands_on_them() -> None:
    assert as_yaml({"description": "a: b\n# c\n"}) == "description: |\n  a: b\n  # c\n"


def test_keys_stand_in_the_order_of_the_reference_and_without_a_value_too() -> None:
    shown = tidy({"zzz": "1", "for": None, "critical": "2", "name": "a", "x": {}})
    assert as_yaml(shown) == "name: a\ncritical: 2\nfor:\nzzz: 1\nx: {}\n"


def test_secrets_are_masked_at_any_depth() -> None:
    shown = tidy({"pagerduty_key": "abc", "slack": {"x": ["abc"]}, "slack_url": None})
    assert shown == {"pagerduty_key": "****", "slack": {"x": ["****"]}, "slack_url": None}


def test_labels_are_no_secrets_whatever_they_are_called() -> None:
    labels: Data = {"api_key_owner": "ann", "password_reset": "https://x"}
    assert tidy({"labels": labels}) == {"labels": labels}


TEMPLATES = (
    alert_with("for_each: {env: [prod, 'st {x}'], n: [1]}, summary: '{{ variables.env }} {n}'", name="'{env}{n}'"),
    alert_with("for_each: {env: [a], n: [1]}, labels: {x: '{{ variables[\"env\"] }} {n}'}", name="'{env}{n}'"),
    alert_with(
        "for_each: {env: [n], n: [1]}, runbook: 'https://x/{{ variables[labels.x] }}{n}', labels: {x: '{env}'}",
        name="'{env}{n}'",
    ),
)
DEFAULTS = "defaults: {page_on: [critical], for: 5min, labels: {team: dba, token: x}, summary: 'x {{ value }}'}"
OTHERS = [
    file_with(*TEMPLATES),
    file_with(alert_with("page_on: , for: '', labels: {team: web}"), alert_with("labels: ", name="b"), top=DEFAULTS),
    file_with(alert_with(r'summary: "a\x85b\u2028c", description: "\n a\n\n", exclude: ["\u2029", "~", null x]')),
    *((ROOT / "tests" / "data" / name).read_text() for name in ("every_old_key.yml", "readme_example.yml")),
    (ROOT / "alerts.yml").read_text(),
]


CASES = {one.place: one.text for one in examples()} | {f"example {n}": text for n, text in enumerate(OTHERS)}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_what_is_shown_can_be_pasted_in_place_of_what_it_comes_from(text: str) -> None:
    # What is masked is restored: there is but one key, and one URL.
    text = re.sub(r"\b[0-9a-f]{32}\b", PAGERDUTY_KEY, text)
    text = re.sub(r"https://hooks\.slack\.com/[\w/]+", SLACK_URL, text)
    first = _load(text)
    document, _ = parse(text, "")
    assert document is not None
    top = {key: value for key, value in document.data.items() if key != "alerts"}
    shown: Data = [tidy(entry, origin.variables) for entry, origin in first.entries]
    written = as_yaml({**top, "alerts": shown})
    for key, value in (("pagerduty_key", PAGERDUTY_KEY), ("slack_url", SLACK_URL)):
        written = written.replace(f"{key}: '{MASK}'", f"{key}: {value}")
    again = _load(written)
    assert _meaning(again) == _meaning(first)


def _load(text: str) -> Loaded:
    loaded = load(text, EXAMPLES_ENVIRON | ENVIRON, source="alerts.yml", library=LIBRARY)
    assert loaded.config is not None, [problem.headline for problem in loaded.problems]
    return loaded


def _meaning(loaded: Loaded) -> list[tuple[Alert, list[Words]]]:
    """The alerts without their lines, and with what they say instead of the variables that they say it with."""
    assert loaded.config is not None
    return [
        (
            replace(one, entries=tuple(replace(entry, line=1, variables={}) for entry in one.entries)),
            [words_for(_critical(one.name, entry)) for entry in one.entries],
        )
        for one in loaded.config.alerts
    ]


def _critical(alert: str, entry: Entry) -> Event:
    return Event(
        kind=EventKind.TRIGGERED, key=SeriesKey(alert, "a.b.c.d.e"), level=Level.CRITICAL, at=NOON, since=NOON,
        value=1.0, entry=entry,
    )  # fmt: skip
