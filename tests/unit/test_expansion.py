"""What alerts.yml says in short comes out at length: defaults, for_each, and where a mistake in them is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.config import load
from graphitepager.config.expansion import expand
from graphitepager.config.files import Files, IncludedFile
from graphitepager.config.plainyaml import as_yaml
from graphitepager.config.yamlsource import parse
from graphitepager.library import Library
from graphitepager.rules import Level
from tests.examples import bound_of
from tests.unit.config_support import ENVIRON, alerts_of, headlines

if TYPE_CHECKING:
    from datetime import timedelta

    from graphitepager.config.yamlsource import Data
    from graphitepager.rules import Entry


def entries_of(text: str) -> list[Data]:
    """The entries as they would be written out in full."""
    loaded = load(text, ENVIRON, source="alerts.yml", strict=True)
    assert [problem.headline for problem in loaded.problems] == []
    return [entry for entry, _ in loaded.entries]


def entries(text: str) -> list[Entry]:
    return [entry for alert in alerts_of(text) for entry in alert.entries]


def repeated(for_each: str, keys: str = "name: 'a {env}', target: t, warning: 1, critical: 2") -> str:
    return f"alerts:\n  - {{{keys}, for_each: {for_each}}}\n"


def complaint(for_each: str, keys: str = "name: 'a {env}', target: t, warning: 1, critical: 2") -> str:
    """The only problem, without its place and its alert."""
    [headline] = headlines(repeated(for_each, keys))
    return headline.partition("', for_each")[2]


class TestDefaults:
    """Keys that every alert has unless it says otherwise."""

    def test_an_alert_has_them_unless_it_says_otherwise(self) -> None:
        text = (
            "defaults: {page_on: [critical], for: {warning: 5min, critical: 5min}, warning: 10}\n"
            "alerts:\n"
            "  - {name: a, target: t, critical: 20}\n"
            "  - {name: b, target: t, warning: 1, critical: 2, for: {critical: 1min}}\n"
        )
        a, b = entries(text)
        assert (bound_of(a.warning), *a.page_on, minutes(a.for_warning)) == (10, Level.CRITICAL, 5)
        assert (bound_of(b.warning), *b.page_on, minutes(b.for_warning), minutes(b.for_critical)) == (
            1, Level.CRITICAL, 0, 1,
        )  # fmt: skip

    def test_a_key_without_a_value_takes_the_default_away(self) -> None:
        text = "defaults: {doc_url: 'https://x/'}\nalerts: [{name: a, target: t, warning: 1, critical: 2, doc_url: }]\n"
        assert [entry.runbook_base for entry in entries(text)] == [None]

    def test_labels_are_put_together_one_by_one(self) -> None:
        text = "defaults: {labels: {team: web, tier: 1}}\nalerts: [{name: a, target: t, labels: {tier: 2}}]\n"
        document, _ = parse(text, "alerts.yml")
        assert document is not None
        [entry] = expand(document, Files(text), {}, strict=False).entries
        assert entry == {"name": "a", "target": "t", "labels": {"tier": "2", "team": "web"}}

    @pytest.mark.parametrize("key", ["name: a", "target: t", "use: host/load", "for_each: {a: [b]}", "with: {}"])
    def test_what_makes_an_alert_has_no_default(self, key: str) -> None:
        text = f"defaults: {{{key}}}\nalerts: [{{name: a, target: t, warning: 1, critical: 2}}]\n"
        [headline] = headlines(text)
        word = key.partition(":")[0]
        assert headline == f"alerts.yml:1:12: defaults: {word} belongs to each alert, and has no default"

    def test_a_mistake_in_them_is_told_once_and_where_it_stands(self) -> None:
        text = (
            "defaults:\n  for: soon\n  waring: 5\nalerts:\n"
            "  - {name: a, target: t, warning: 1, critical: 2}\n  - {name: b, target: t, warning: 1, critical: 2}\n"
        )
        assert [line.partition(" ")[0] for line in headlines(text)] == ["alerts.yml:2:8:", "alerts.yml:3:3:"]

    @pytest.mark.parametrize(("written", "got"), [("x", "a text"), ("[x]", "a list")])
    def test_they_are_keys_and_values(self, written: str, got: str) -> None:
        text = f"defaults: {written}\nalerts: [{{name: a, target: t, warning: 1, critical: 2}}]\n"
        [headline] = headlines(text)
        assert headline == f"alerts.yml:1:11: defaults: expected keys and values, got {got} (write key: value)"

    def test_a_secret_in_them_is_never_shown(self) -> None:
        key = "0123456789abcdef0123456789abcdef"
        text = (
            f"defaults:\n  pagerduty_key: {key}0\nalerts:\n  - {{name: {key}0, target: t, warning: 1, critical: 2}}\n"
        )
        loaded = load(text, ENVIRON, source="alerts.yml")
        assert loaded.problems
        assert key not in "".join(problem.render() for problem in loaded.problems)


class TestForEach:
    """One entry for each combination, or for each mapping of a list."""

    def test_a_mapping_makes_every_combination(self) -> None:
        keys = "name: 'Q {kind}', target: 'alias({env}.{kind}, \"{env}\")', warning: 1, critical: 2"
        made = entries(repeated("{env: [prod, staging], kind: [a, b]}", keys))
        assert [(entry.query.target, dict(entry.variables)) for entry in made] == [
            ('alias(prod.a, "prod")', {"env": "prod", "kind": "a"}),
            ('alias(staging.a, "staging")', {"env": "staging", "kind": "a"}),
            ('alias(prod.b, "prod")', {"env": "prod", "kind": "b"}),
            ('alias(staging.b, "staging")', {"env": "staging", "kind": "b"}),
        ]

    def test_a_list_makes_each_of_its_items_as_it_stands(self) -> None:
        keys = "name: 'a {env}', target: t, warning: 1, critical: '{threshold}'"
        made = entries(repeated("[{env: prod, threshold: 90}, {env: staging, threshold: 95}]", keys))
        assert [bound_of(entry.critical) for entry in made] == [90, 95]

    def test_two_of_one_name_are_entries_of_one_alert(self) -> None:
        keys = "name: a, target: '{env}.t', warning: 1, critical: 2"
        [alert] = alerts_of(repeated("{env: [prod, staging]}", keys))
        assert [entry.query.target for entry in alert.entries] == ["prod.t", "staging.t"]

    @pytest.mark.parametrize(
        "target",
        ["a.{b,c}.d", "a.{{env}}", "{{ env }}", "{{env}}.{b,{env}}", "{ env }", "{env", "env}", "{}", "{other}"],
    )
    def test_other_braces_are_left_as_they_are(self, target: str) -> None:
        keys = f"name: 'a {{env}}', target: '{target}', warning: 1, critical: 2"
        made = entries_of(repeated("{env: [prod]}", keys))
        assert [entry["target"] for entry in made if isinstance(entry, dict)] == [target]

    def test_texts_are_replaced_at_any_depth_and_keys_are_not(self) -> None:
        keys = "name: 'a {env}', target: t, warning: 1, critical: 2, exclude: ['{env}1', x], for: {warning: '{wait}'}"
        [entry] = entries(repeated("[{env: prod, wait: 5min}]", keys))
        assert (sorted(entry.exclude.exact), minutes(entry.for_warning)) == (["prod1", "x"], 5)
        made = entries_of(repeated("{env: [prod]}", "name: '{env}', target: t, warning: 1, critical: 2, for: {}"))
        assert made == [{"name": "prod", "target": "t", "warning": "1", "critical": "2", "for": {}}]

    def test_a_value_is_not_looked_into_again(self) -> None:
        made = entries_of(
            repeated("{env: ['{kind}'], kind: [b]}", "name: '{env}-{kind}', target: t, warning: 1, critical: 2")
        )
        assert [entry["name"] for entry in made if isinstance(entry, dict)] == ["{kind}-b"]

    def test_names_hold_in_the_defaults_too(self) -> None:
        text = f"defaults: {{doc_url: 'https://{{env}}/'}}\n{repeated('{env: [prod]}')}"
        assert [entry.runbook_base for entry in entries(text)] == ["https://prod/"]

    def test_a_bad_value_is_told_where_the_value_stands(self) -> None:
        text = (
            "alerts:\n  - name: a {env}\n    target: t\n    warning: 1\n    critical: '{threshold}'\n"
            "    for_each:\n    - {env: prod, threshold: 9}\n    - {env: staging, threshold: nine}\n"
        )
        [headline] = headlines(text)
        assert headline == "alerts.yml:8:33: alert 'a staging', critical: expected a number, got 'nine'"

    @pytest.mark.parametrize(
        ("for_each", "said"),
        [
            ("{env: []}", ".env: expected at least one value"),
            ("{env: }", ".env: expected at least one value"),
            ("{}", ": expected at least one name with values"),
            ("[]", ": expected at least one name with values"),
            ("[x]", ": expected keys and values, got a text (write {env: prod, threshold: 90})"),
            ("{env: [[x]]}", ".env: expected a text or a number, got a list"),
            ("{env: [~]}", ".env: expected a text or a number, got nothing"),
            ("{env: {a: b}}", ".env: expected a text or a number, got a mapping"),
            ("{a-b: [x]}", ": expected a name of letters, digits and _, got 'a-b'"),
            ("[{env: a, x: b}, {env: b}]", ": expected the names of the first one, env, x"),
        ],
    )
    def test_what_is_wrong_with_it_is_told(self, for_each: str, said: str) -> None:
        assert complaint(for_each) == said

    def test_a_value_that_comes_twice_is_an_error(self) -> None:
        hint = "(write its names in braces, such as {env}, in name and in target)"
        assert complaint("{env: [a, a]}") == f": it makes the same alert with the same target twice {hint}"

    def test_a_name_that_is_missing_from_name_and_target_is_an_error(self) -> None:
        said = complaint("{env: [a, b]}", "name: a, target: t, warning: 1, critical: 2, doc_url: 'https://x/{env}'")
        assert said.startswith(": it makes the same alert with the same target twice")

    def test_a_name_that_nothing_uses_is_a_warning(self) -> None:
        [headline] = headlines(repeated("{env: [a], kind: [b]}"))
        place = "alerts.yml:2:80: warning: alert 'a {env}', for_each.kind"
        assert headline == f"{place}: {{kind}} stands nowhere in this alert"

    def test_a_template_uses_a_name_without_braces_of_its_own(self) -> None:
        assert (
            headlines(repeated("{env: [a], kind: [b]}", "name: '{env} {{ kind }}', target: t, warning: 1, critical: 2"))
            == []
        )

    def test_a_name_that_is_nearly_one_is_a_warning(self) -> None:
        [headline] = headlines(repeated("{env: [a]}", "name: 'a {env}', target: '{evn}.t', warning: 1, critical: 2"))
        assert headline.endswith("{evn} in '{evn}.t' is none of its names, and left as it is (did you mean env?)")

    def test_there_are_at_most_a_thousand_of_one(self) -> None:
        digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
        keys = "name: 'a {a}{b}{c}', target: t, warning: 1, critical: 2"
        began = time.process_time()
        assert len(entries_of(repeated(f"{{a: {digits}, b: {digits}, c: {digits}}}", keys))) == 1000
        assert complaint(f"{{a: {digits}, b: {digits}, c: {digits}, d: {digits}}}", keys) == (
            ": expected at most 1,000 combinations, got 10,000"
        )
        assert time.process_time() - began < 5

    def test_no_error_follows_from_an_alert_that_could_not_be_made(self) -> None:
        text = f"{repeated('x')}  - {{name: b, target: t, warning: 1, critical: 2, depends_on: a prod}}\n"
        assert len(headlines(text)) == 1
        assert len(headlines(repeated("x"))) == 1

    def test_problems_of_all_combinations_are_told_once(self) -> None:
        [headline] = headlines(repeated("{env: [a, b]}", "name: 'a {env}', target: t, warning: 1"))
        assert headline.startswith("alerts.yml:2:5: alert 'a a': critical is missing")


def minutes(length: timedelta) -> float:
    return length.total_seconds() / 60


WORDS = st.sampled_from(["a", "{env}", "host/load", "redis/memory", "3", "", "name", "{{ env }}"]) | st.none()
KEYS = st.sampled_from(["name", "target", "warning", "critical", "use", "with", "for_each", "env", "hosts", "labels"])
VALUES = st.recursive(WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
TOPS = st.sampled_from(["alerts", "defaults", "include", "x-a"])


@given(st.dictionaries(TOPS, VALUES | st.lists(st.dictionaries(KEYS, VALUES), max_size=3)))
def test_whatever_is_written_is_understood_or_told(data: dict[str, Data]) -> None:
    files = Files(as_yaml(data), (("a", (IncludedFile("a.yml", as_yaml({**data, "alerts": data.get("defaults")})),)),))
    loaded = load(files, ENVIRON, source="alerts.yml", library=Library())
    assert (loaded.config is None) == any(problem.is_error for problem in loaded.problems)
