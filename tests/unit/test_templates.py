"""What a template may say, and that whatever it says ends at once and stays small."""

from __future__ import annotations

import time
from contextlib import suppress
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.templates import LONGEST_TEMPLATE, LONGEST_TEXT, Shown, TemplateError, check, names_in, render

VALUES = {
    "value": Shown(82.1206, "82.12"),
    "series": "servers.db1.größe x",
    "nodes": ["servers", "db1"],
    "level": "Critical",
    "thresholds": MappingProxyType({"warning": 50.0, "critical": 70.0}),
}


def refusal(text: str) -> TemplateError:
    with pytest.raises(TemplateError) as refused:
        check(text, VALUES.keys())
    return refused.value


def failure(text: str) -> str:
    check(text, VALUES.keys())
    with pytest.raises(TemplateError) as failed:
        render(text, VALUES)
    return failed.value.reason


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain", "plain"),
        ("{{ value }} is {{ level }}", "82.12 is Critical"),
        ("{{ value|round(1) }} {{ value|round }} {{ value|int }}", "82.1 82 82"),
        ("{{ value * 3 }} {{ 0.1 + 0.2 }} {{ value - thresholds.critical }}", "246.3618 0.3 12.1206"),
        ("{{ '%.3f'|format(value) }}", "82.121"),
        ("{{ value ~ '%' }}", "82.12%"),
        ("{{ nodes[1]|upper }} {{ nodes[-1] }} {{ nodes|join('/') }}", "DB1 db1 servers/db1"),
        ("{{ series.split('.')[1].upper() }} {{ series[:7] }}", "DB1 servers"),
        ("{% if value > thresholds['critical'] %}bad{% else %}so-so{% endif %}", "bad"),
        ("{{ 'call' if level == 'Critical' else 'wait' }}", "call"),
        ("{{ {'Critical': 'call'}[level] }}", "call"),
        ("{{ nodes[5]|default('-') }}", "-"),
        ("{{ '<&>' }}{# nobody reads this #}", "<&>"),
        ("a\n{% if true %}\nb\n{% endif %}\nc", "a\nb\nc"),
    ],
)
def test_it_says_what_people_write_in_templates(text: str, made: str) -> None:
    check(text, VALUES.keys())
    assert render(text, VALUES) == made


def test_what_a_url_cannot_hold_is_encoded_in_values_only() -> None:
    text = "https://wiki/a b/{{ series }}?q={{ series|urlencode }}&x={{ value }}"
    made = "https://wiki/a b/servers.db1.gr%C3%B6%C3%9Fe%20x?q=servers.db1.gr%C3%B6%C3%9Fe%20x&x=82.12"
    assert render(text, VALUES, is_url=True) == made


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% for x in nodes %}{% endfor %}", "a loop is not allowed"),
        ("{% macro m() %}{% endmacro %}", "a macro is not allowed"),
        ("{% set a = 1 %}", "{% set %} is not allowed"),
        ("{% include 'x' %}", "{% include %} is not allowed"),
        ("{% import 'x' as y %}", "{% import %} is not allowed"),
        ("{% extends 'x' %}", "{% extends %} is not allowed"),
        ("{% filter upper %}x{% endfilter %}", "is not allowed"),
        ("{{ 10 ** 10 ** 10 }}", "** is not allowed"),
        ("{{ range(10) }}", "only what belongs to a text can be called"),
        ("{{ lipsum }}", "lipsum is not known here"),
        ("{{ self }}", "self is not known here"),
        ("{{ valeu }}", "valeu is not known here; there are level, nodes, series, thresholds, value"),
        ("{{ series|center(1000000000) }}", "there is no filter center"),
        ("{{ nodes|map('upper') }}", "there is no filter map"),
        ("{{ series is eve }}", "there is no test eve"),
        ("{{ series.ljust(1000000000) }}", "ljust() cannot be called here"),
        ("{{ series.format(1) }}", "format() cannot be called here"),
        ("{{ 1[0:1] }}", "a number has no parts"),
        ("{{ value", "unexpected end of template"),
        ("one\n{{ | }}", "(in its line 2)"),
        ("{{ " + "(" * 500 + "1" + ")" * 500 + " }}", "nested too deeply"),
        ("{{ " + "-" * 500 + "1 }}", "nested too deeply"),
        ("{{ " + "+".join(["value"] * 300) + " }}", "nested too deeply"),
        ("x" * (LONGEST_TEMPLATE + 1), "a template has at most 4000"),
    ],
)
def test_what_it_may_not_say_is_refused_with_the_reason(text: str, reason: str) -> None:
    assert reason in refusal(text).reason


def test_a_refusal_knows_the_words_that_might_have_been_meant() -> None:
    assert refusal("{{ valeu }}").word == "valeu"
    assert "value" in refusal("{{ valeu }}").known
    assert "round" in refusal("{{ value|rund }}").known
    assert "upper" in refusal("{{ series.uper() }}").known


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ 1000000000 * nodes }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%999999999d'|format(1) }}",
        "{{ '%*d'|format(999999999, 1) }}",
        "{{ '%.999999999f'|format(value) }}",
        "{{ value|round(999999999) }}",
        "{{ value|round(9, 'ceil') }}",
        "{{ (series|replace('', 'x' ~ series))|replace('', series ~ series ~ series ~ series ~ series) }}",
        "{{ " + "|replace('a', 'aaaaaaaaaa')".join(["'a'", *[""] * 20]) + " }}",
        "{{ series|join(series|join(series|join(series))) }}",
        "{{ " + "*".join(["9" * 300] * 5) + " }}",
        "{{ " + "9" * 3900 + " * 1.5 }}",
        "{{ (1e308 * 10)|int * 2 + nodes }}",
        "{{ ('x'|replace('x', series ~ series))|replace('x', 'y') + nodes }}",
    ],
)
def test_what_would_take_long_or_get_large_fails_at_once(text: str) -> None:
    began = time.process_time()
    assert failure(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text",
    [
        "{{ series.__class__.__mro__ }}",
        "{{ value.__init__.__globals__ }}",
        "{{ nodes.append }}",
        "{{ thresholds.items }}",
        "{{ series.upper.__self__ }}",
        "{{ ''['__class__'] }}",
        "{{ nodes[9] }}",
        "{{ 1 / 0 }}",
        "{{ value + 'x' }}",
    ],
)
def test_nothing_is_reached_but_what_is_given(text: str) -> None:
    assert failure(text)


def test_a_key_that_no_event_will_ever_have_is_told_from_other_failures() -> None:
    with pytest.raises(TemplateError) as failed:
        render("{{ thresholds.critcal }}", VALUES)
    assert failed.value.reason == "critcal is not known here; there are warning, critical"
    assert failed.value.word == "critcal"
    with pytest.raises(TemplateError) as failed:
        render("{{ {'Warning': 1}[level] }} {{ nodes[9] }}", VALUES)
    assert failed.value.word is None


def test_a_long_text_is_cut() -> None:
    made = render("{{ series }}" * 300, VALUES)
    assert len(made) == LONGEST_TEXT
    assert made.endswith("…")


def test_the_names_that_are_used_are_known() -> None:
    assert names_in("{% if value is defined %}{{ nodes[0]|default(series) }}{% endif %}") == {
        "value",
        "nodes",
        "series",
    }


_WORDS = r"""
{{ }} {% %} {%- -%} if else endif for in set ( ) [ ] { } | . , : ~ + - * / // % ** == < > and or not is
'a' 'aaaa' '%s' '%99d' 1 9 1e308 0 999999999 true none value series nodes level thresholds warning
replace('a','aaaa') join(series) format(series) round int float length default(1) truncate(3) urlencode first
split() upper() lower() __class__ defined string number \ " ' {# #}
"""
_OPERATORS = "+ - * / // % ~ == < in and or"


def _is_bounded(text: str) -> None:
    began = time.process_time()
    with suppress(TemplateError):
        check(text, VALUES.keys())
        for values in (VALUES, {"level": "NO DATA", "thresholds": VALUES["thresholds"]}):
            for is_url in (False, True):
                with suppress(TemplateError):
                    assert len(render(text, values, is_url=is_url)) <= LONGEST_TEXT
    assert time.process_time() - began < 2


@given(st.lists(st.sampled_from(_WORDS.split()), max_size=30))
def test_any_pieces_of_templates_are_refused_or_stay_within_bounds(pieces: list[str]) -> None:
    _is_bounded(" ".join(pieces))
    _is_bounded("{{ " + " ".join(pieces) + " }}")


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_refused_or_stays_within_bounds(text: str) -> None:
    _is_bounded(text)


_OPERANDS = st.sampled_from(
    ["value", "series", "nodes", "level", "thresholds", "'a'", "''", "1", "-2", "1e300", "true"]
)
_EXPRESSIONS = st.recursive(
    _OPERANDS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(_OPERATORS.split()), inner),
        st.builds("({}|{})".format, inner, st.sampled_from(["int", "float", "length", "string", "round", "first"])),
        st.builds("({}|replace({}, {}))".format, inner, inner, inner),
        st.builds("({}|join({}))".format, inner, inner),
        st.builds("({}|format({}))".format, inner, inner),
        st.builds("({}|truncate({}, true, {}))".format, inner, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
    ),
    max_leaves=25,
)


@given(_EXPRESSIONS)
def test_any_expression_stays_within_bounds(expression: str) -> None:
    _is_bounded("{{ " + expression + " }}")
