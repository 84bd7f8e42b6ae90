"""A YAML syntax error in words that say what to do: the parser's own speak of tokens and indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphitepager.problems import LINE_BREAK

if TYPE_CHECKING:
    import yaml


class _Explanation(NamedTuple):
    """What to say when the parser's problem holds `problem` and its context holds `context`.

    `at_start` points to where the construct began (an opening quote) rather than to where the parser gave up.
    """

    problem: str
    context: str
    message: str
    hint: str
    at_start: bool = False


# First match wins. The words are those of libyaml; most are PyYAML's own, too.
_EXPLANATIONS = (
    _Explanation(
        "alphabetic or numeric character",
        "scanning an alias",
        "a text cannot begin with *, which calls up an anchor",
        "put the value in quotes",
        at_start=True,
    ),
    _Explanation(
        "alphabetic or numeric character",
        "scanning an anchor",
        "a text cannot begin with &, which sets an anchor",
        "put the value in quotes",
        at_start=True,
    ),
    _Explanation(
        "unknown escape character",
        "",
        "this backslash means nothing in double quotes",
        "use single quotes, or write \\\\",
    ),
    _Explanation(
        "unexpected end of stream",
        "quoted scalar",
        "this quote is never closed",
        "add the closing quote",
        at_start=True,
    ),
    _Explanation(
        "comment or",
        "scanning a block scalar",
        "a text cannot begin with this character",
        "put the value in quotes, as in '> 90'",
        at_start=True,
    ),
    _Explanation("cannot start any token", "", "a text cannot begin with this character", "put the value in quotes"),
    _Explanation(
        "mapping values are not allowed",
        "",
        "a ':' is not expected here",
        "quote a value that holds ': ', or check the indentation of this line and the one above",
    ),
    _Explanation("could not find expected ':'", "", "expected a ':' after the key", "write key: value"),
    _Explanation(
        "',' or ']'",
        "",
        "expected ',' or ']'",
        "a list in [ ] is not closed, or a text that begins with [ needs quotes",
    ),
    _Explanation(
        "',' or '}'",
        "",
        "expected ',' or '}'",
        "a mapping in { } is not closed, or a text that begins with { needs quotes",
    ),
    _Explanation(
        "did not find expected '-' indicator",
        "",
        "expected '- ' here, as above in this list",
        "indent every key of an entry as far as its first one",
    ),
    _Explanation(
        "did not find expected key",
        "",
        "expected a key of the mapping above",
        "check the indentation, and quote a value that begins with { [ or a quote",
    ),
    _Explanation(
        "nested too deeply", "", "this is nested too deeply", "no key of alerts.yml needs more than three levels"
    ),
)
_INDENT_WITH_TABS = ("a tab cannot indent in YAML", "use spaces")


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str, str | None]:
    """Line and column (from 1), message and hint."""
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    fallback = f"this is not valid YAML: {problem or context or 'unreadable'}"
    message: str
    hint: str | None
    message, hint = fallback, None
    for explanation in _EXPLANATIONS:
        if explanation.problem in problem and explanation.context in context:
            message, hint = explanation.message, explanation.hint
            if explanation.at_start and error.context_mark:
                mark = error.context_mark
            break
    if mark is None:
        return 1, 1, message, hint
    line = LINE_BREAK.split(text)[mark.line : mark.line + 1]
    if line and line[0][: mark.column + 1].strip(" ").startswith("\t"):
        message, hint = _INDENT_WITH_TABS
    return mark.line + 1, mark.column + 1, message, hint
