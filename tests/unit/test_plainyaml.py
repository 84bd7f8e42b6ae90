"""Entries as YAML that people can read, and that means the same when it is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from graphitepager.config.plainyaml import as_yaml, tidy
from graphitepager.config.yamlsource import parse

if TYPE_CHECKING:
    from graphitepager.config.yamlsource import Data

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.just("\n"))


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


def test_keys_stand_in_the_order_of_the_reference_without_empty_ones() -> None:
    shown = tidy({"zzz": "1", "for": None, "critical": "2", "name": "a", "x": {}})
    assert as_yaml(shown) == "name: a\ncritical: 2\nzzz: 1\nx: {}\n"


def test_secrets_are_masked_at_any_depth() -> None:
    shown = tidy({"pagerduty_key": "abc", "labels": {"token": "abc", "team": "web"}, "slack": {"x": ["abc"]}})
    assert shown == {
        "pagerduty_key": "****", "labels": {"token": "****", "team": "web"}, "slack": {"x": ["****"]},
    }  # fmt: skip
