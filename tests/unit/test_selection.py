"""Names, globs and regular expressions."""

from __future__ import annotations

import pytest

from graphitepager.selection import LONGEST_EXPRESSION, names, parse


@pytest.mark.parametrize(
    ("written", "name", "is_meant"),
    [
        ("web1", "web1", True),
        ("web1", "web10", False),
        ("web*", "web.10/x y", True),
        ("web*", "my-web1", False),
        ("*.web?", "a.web1", True),
        ("web[12]", "web2", True),
        ("{web,api}-1", "api-1", True),
        ("{web,api}-1", "xapi-1", False),
        ("/web/", "my-web-1", True),
        ("/^web[0-9]+$/", "web12", True),
        ("/^web[0-9]+$/", "web12b", False),
        ("[/]web/", "/web/", True),
        ("[/]web/", "web", False),
        ("//", "//", True),
        ("//", "a", False),
        ("/", "/", True),
    ],
)
def test_a_text_means_these_names(written: str, name: str, is_meant: bool) -> None:
    assert (name in names([written])) is is_meant


@pytest.mark.parametrize("name", ["sum(a.*.b)", "sum(a.{b,c)", "web[1]", "a[", "/web/", "?", "{x}"])
def test_a_name_that_looks_like_a_pattern_is_meant_by_itself_too(name: str) -> None:
    assert name in names([name])


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("/[/", "the regular expression is no good at character 1: unterminated character set"),
        ("/(a+)+$/", "a repetition of a repetition, as in (a+)+, can take for ever: write it as one"),
        ("/(.*)*x/", "a repetition of a repetition, as in (a+)+, can take for ever: write it as one"),
        ("/([a-z]+){10,}/", "a repetition of a repetition, as in (a+)+, can take for ever: write it as one"),
        (f"/{'a' * 201}/", "expected a regular expression of at most 200 characters, got 201"),
    ],
)
def test_a_regular_expression_that_is_no_good_says_why(written: str, complaint: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the text is what is looked at
        parse(written)
    assert str(raised.value) == complaint


@pytest.mark.parametrize(
    "written", [f"/{'a' * LONGEST_EXPRESSION}/", r"/\+\)+/", "/(web|api)+-[0-9]{1,3}/", "/(a){2}/"]
)
def test_others_are_good(written: str) -> None:
    assert parse(written) is not None
