"""The keys with which an alert speaks for itself: summary, description, labels, runbook, severity."""

from __future__ import annotations

import pytest

from graphitepager.config import load
from graphitepager.rules import Level, Severity
from tests.unit.config_support import ENVIRON, alert_with, complaint_about, entry_of, file_with, headlines


def test_an_alert_that_says_nothing_has_the_default_words() -> None:
    entry = entry_of("from: -1min")
    assert (entry.summary, entry.description, entry.runbook, entry.labels, entry.severity) == (None, None, None, {}, {})


def test_its_words_are_kept_as_they_were_written() -> None:
    entry = entry_of(
        "summary: '{{ nodes[0] }} at {{ value|round(1) }}', description: 'Ask {{ labels.team }}', "
        "labels: {team: dba, host: '{{ nodes[0] }}'}, runbook: ' https://wiki/{{ alert }} '",
        top="docs_url: https://wiki",
    )
    assert entry.summary == "{{ nodes[0] }} at {{ value|round(1) }}"
    assert entry.description == "Ask {{ labels.team }}"
    assert entry.labels == {"team": "dba", "host": "{{ nodes[0] }}"}
    assert (entry.runbook, entry.runbook_base) == ("https://wiki/{{ alert }}", "https://wiki")


@pytest.mark.parametrize("key", ["summary", "description", "runbook"])
def test_a_key_without_value_is_as_if_it_were_absent(key: str) -> None:
    assert entry_of(f"{key}: ") == entry_of(f"{key}: ''") == entry_of("from: -1min")


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (
            "summary: '{{ serie }}'",
            "summary: serie is not known here; there are alert, duration, labels, level, nodes, ",
        ),
        ("summary: '{{ value|rund(1) }}'", "summary: there is no filter rund (did you mean round?)"),
        ("summary: '{{ series.uper() }}'", "summary: uper() cannot be called here (did you mean upper?)"),
        ("summary: '{{ value'", "summary: unexpected end of template, expected 'end of print statement'."),
        ("summary: [a]", "summary: expected a text, got a list"),
        ("description: '{% for x in nodes %}{% endfor %}'", "description: a loop is not allowed: a template has"),
        ("description: '{{ 2 ** 9 }}'", "description: ** is not allowed"),
        ("labels: {host: '{{ labels.team }}'}", "labels.host: labels is not known here; there are alert, duration"),
        ("labels: {host: '{{ node }}'}", "labels.host: node is not known here"),
        ("labels: {host: [a]}", "labels.host: expected a text, got a list"),
        ("labels: {host: }", "labels.host: expected a text, got nothing"),
        ("labels: {a b: c}", "labels.a b: this cannot be the name of a label (letters, digits, _ and -, and no "),
        ("labels: {value: c}", "labels.value: every page has a detail of that name already (call the label something"),
        ("labels: team", "labels: expected keys and values, got a text (write key: value)"),
        ("runbook: wiki/x", "runbook: expected the whole URL, with http:// or https://, got 'wiki/x'"),
        ("runbook: '{{ alert }}'", "runbook: expected the whole URL, with http:// or https://, got '{{ alert }}'"),
        ("runbook: 'https://w/{{ alrt }}'", "runbook: alrt is not known here"),
        (
            "runbook: 'https://w', doc_url: 'https://w'",
            "runbook: the alert has a doc_url, which says where the runbook is (delete doc_url: ",
        ),
        ("severity: crit", "severity: expected critical, error, warning or info, got 'crit' (did you mean critical?)"),
        ("severity: {warning: low}", "severity.warning: expected critical, error, warning or info, got 'low'"),
        ("severity: [info]", "severity: expected keys and values, got a list (write key: value)"),
    ],
)
def test_a_bad_value_says_what_was_expected(keys: str, complaint: str) -> None:
    assert complaint_about(keys).startswith(complaint)


def test_a_word_that_is_nearly_known_is_answered_with_that() -> None:
    assert complaint_about("summary: '{{ valeu }}'").endswith("(did you mean value?)")


def test_a_mistake_is_shown_where_it_is() -> None:
    items = [
        "  - {name: a, target: t, warning: 1, critical: 2, summary: '{{ x }}'}\n",
        "  - {name: b, target: t, warning: 1, critical: 2, labels: {a: b, c: '{{ x }}'}}\n",
        "  - {name: c, target: t, warning: 1, critical: 2, labels: {a: b, since: c}}\n",
        "  - {name: d, target: t, warning: 1, critical: 2, severity: {nominal: info}}\n",
    ]
    places = [headline.split(": ")[0] for headline in headlines("alerts:\n" + "".join(items))]
    assert places == [f"alerts.yml:{place}" for place in ("2:60", "3:69", "4:73", "5:62")]


def test_a_template_without_quotes_is_told_what_it_lacks() -> None:
    headline = headlines("alerts:\n  - name: a\n    summary: {{ nodes }}\n    target: t\n")[-1]
    hint = "(put a text that begins with {{ in quotes)"
    assert headline == f"alerts.yml:3:15: expected a name as key, got a mapping {hint}"


class TestTrial:
    """Templates are filled in for an example of a series before they are needed."""

    def test_a_key_that_no_page_will_have_is_an_error(self) -> None:
        keys = "labels: {team: dba}, description: '{{ labels.tem }}'"
        complaint = "description: tem is not known here; there are team (did you mean team?)"
        assert complaint_about(keys) == complaint
        assert load(file_with(alert_with(keys)), ENVIRON, source="alerts.yml").config is None

    @pytest.mark.parametrize("text", ["{{ thresholds.critcal }}", "{{ variables.env }}", "{{ thresholds['high'] }}"])
    def test_so_is_one_of_the_other_mappings(self, text: str) -> None:
        assert "is not known here; there are " in complaint_about(f'summary: "{text}"')

    def test_what_fails_for_an_example_only_is_a_warning(self) -> None:
        keys = "summary: \"{{ series.split('-')[3] }}\""
        [headline] = headlines(file_with(alert_with(keys)))
        assert headline.partition(": ")[2] == (
            "warning: alert 'a', summary: fails for an example of a series: there is no 3"
            " (where it does, the page has the default text)"
        )
        assert load(file_with(alert_with(keys)), ENVIRON, source="alerts.yml").config is not None

    def test_a_node_that_no_series_of_the_target_has_is_a_warning(self) -> None:
        [headline] = headlines(
            "alerts: [{name: a, target: servers.*.load, warning: 1, critical: 2, summary: '{{ nodes[3] }}'}]"
        )
        assert "summary: fails for an example of a series: there is no 3" in headline

    def test_of_several_alerts_on_a_line_the_right_one_is_named(self) -> None:
        text = "alerts: [{name: a, target: t, warning: 1, critical: 2}, "
        text += "{name: b, target: t, warning: 1, critical: 2, summary: '{{ thresholds.x }}'}]"
        assert "alerts.yml:1:112: alert 'b', summary: x is not known here" in headlines(text)[0]

    @pytest.mark.parametrize("text", ["{{ value|round(1) }}", "{{ value|default('-') }} {{ nodes[0] }} {{ since }}"])
    def test_that_there_is_no_value_at_no_data_is_no_fault(self, text: str) -> None:
        assert entry_of(f'summary: "{text}", description: "{text}"').summary == text


@pytest.mark.parametrize(
    ("keys", "severity"),
    [
        ("severity: info", dict.fromkeys((Level.WARNING, Level.CRITICAL, Level.NO_DATA), Severity.INFO)),
        (
            "severity: {warning: info, critical: critical, no_data: warning}",
            {Level.WARNING: Severity.INFO, Level.CRITICAL: Severity.CRITICAL, Level.NO_DATA: Severity.WARNING},
        ),
        ("severity: {no_data: info}", {Level.NO_DATA: Severity.INFO}),
        ("severity: ", {}),
    ],
)
def test_the_severity_is_one_word_or_one_for_each_level(keys: str, severity: dict[Level, Severity]) -> None:
    assert entry_of(keys).severity == severity
