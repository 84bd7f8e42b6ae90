"""The language of an alert's own words: Jinja2, cut down to what ends at once and stays small.

There are expressions, filters and `if`. There is nothing that repeats (loops, macros, `**`, a text times a number) and
nothing that is defined or read from elsewhere, so the length of a template bounds the time it takes. What can grow a
text checks first how long it would become. See docs/decisions.md.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from graphitepager.errors import PagerError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from jinja2 import Template
    from jinja2.runtime import Context

# How long a template may be, and how long any text that it makes. In characters.
LONGEST_TEMPLATE = 4000
LONGEST_TEXT = 4000

# What a value in a URL may hold unencoded (RFC 3986), as in the links that are made from docs_url.
_URL_SAFE = "/!$&'()*+,;=:@~"

_DEEPEST = 60  # Python's own parser gives up at 100
_MOST_DIGITS = 15
_WIDEST_NUMBER_BITS = 1024
# `%1000d` or `%*d`: a number that is padded to a width which nobody reads.
_WIDE_FORMAT = re.compile(r"%[^a-zA-Z%]*(?:\*|[0-9]{3})")

_PLAIN_FILTERS = {
    "abs", "capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "lower", "string", "title",
    "trim", "truncate", "upper",
}  # fmt: skip
_TESTS = {"==", "!=", "<", "<=", ">", ">=", "defined", "undefined", "none", "number", "string", "in", "odd", "even"}
_METHODS = {
    "capitalize", "count", "endswith", "find", "isdigit", "lower", "lstrip", "partition", "removeprefix",
    "removesuffix", "rpartition", "rsplit", "rstrip", "split", "startswith", "strip", "title", "upper",
}  # fmt: skip
_ALLOWED = {
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr,
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.Filter, nodes.Test, nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Slice,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat,
}  # fmt: skip
_CALLED = {
    nodes.For: "a loop",
    nodes.Macro: "a macro",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Pow: "**",
}


class TemplateError(PagerError):
    """A template that is not accepted, or that failed. `word` is not among the `known` ones, where that is why."""

    def __init__(self, reason: str, word: str | None = None, known: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.word = word
        self.known = tuple(sorted(known))


class _UnknownKeyError(UndefinedError):
    """A mapping such as thresholds has no such key: wrong for every series."""

    def __init__(self, reason: str, word: str, known: Iterable[str]) -> None:
        super().__init__(reason)
        self.fault = TemplateError(reason, word, known)


class Shown(float):
    """A number that prints as the text that it is given, and calculates as the number it is."""

    __slots__ = ("text",)

    def __new__(cls, value: float, text: str) -> Self:
        made = super().__new__(cls, value)
        made.text = text
        return made

    text: str

    def __str__(self) -> str:
        return self.text


class _Compiled(NamedTuple):
    template: Template
    names: frozenset[str]


def check(text: str, known: Collection[str]) -> None:
    """Raise TemplateError unless the text is a template that may run and uses no names but the `known` ones."""
    for name in sorted(names_in(text)):
        if name not in known:
            raise TemplateError(f"{name} is not known here; there are {', '.join(sorted(known))}", name, known)


def names_in(text: str) -> frozenset[str]:
    """The names that the template uses; TemplateError where it is none that may run."""
    return _compiled(text, is_url=False).names


def render(text: str, values: Mapping[str, object], *, is_url: bool = False) -> str:
    """Fill in the template, and cut what gets too long; TemplateError when it fails.

    A mapping among the values that is no dict has all the keys that it ever will: another one is the template's fault.
    With `is_url` every value that it prints is encoded as a part of a URL.
    """
    template = _compiled(text, is_url=is_url).template
    pieces: list[str] = []
    length = 0
    try:
        for piece in template.generate(values):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_TEXT:
                break
    except _UnknownKeyError as error:
        raise error.fault from None
    except Exception as error:  # noqa: BLE001 - whatever a template does, it must not cost the page
        raise TemplateError(str(error)[:LONGEST_TEXT] or type(error).__name__) from None
    made = "".join(pieces)
    return made if len(made) <= LONGEST_TEXT else made[: LONGEST_TEXT - 1] + "…"


@functools.lru_cache(maxsize=2048)
def _compiled(text: str, *, is_url: bool) -> _Compiled:
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateError(f"{len(text)} characters, a template has at most {LONGEST_TEMPLATE}")
    sandbox = _FOR_URLS if is_url else _FOR_TEXT
    try:
        tree = sandbox.parse(text)
        names = frozenset(_names(tree))
        return _Compiled(sandbox.from_string(tree), names)
    except TemplateSyntaxError as error:
        place = f" (in its line {error.lineno})" if "\n" in text else ""
        raise TemplateError(f"{error.message or 'this is no template'}{place}") from None
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
        raise TemplateError("this is nested too deeply, or no template at all") from None


def _names(tree: nodes.Template) -> Iterator[str]:
    """Every name that the template uses; TemplateError for what it may not do."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEPEST:
            raise TemplateError("this is nested too deeply")
        if type(node) not in _ALLOWED:
            what = _CALLED.get(type(node)) or f"{{% {type(node).__name__.lower()} %}}"
            raise TemplateError(f"{what} is not allowed: a template has expressions, filters and {{% if %}}")
        match node:
            case nodes.Name():
                yield node.name
            case nodes.Filter() if node.name not in _FILTERS:
                raise TemplateError(f"there is no filter {node.name}", node.name, _FILTERS)
            case nodes.Test() if node.name not in _TESTS:
                raise TemplateError(f"there is no test {node.name}", node.name, _TESTS)
            case nodes.Call():
                _check_call(node)
            case nodes.Getitem(node=nodes.Const(value=value)) if not isinstance(value, str):
                raise TemplateError("a number has no parts")  # and Python would warn of it on standard error
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]


def _check_call(node: nodes.Call) -> None:
    if not isinstance(node.node, nodes.Getattr):
        raise TemplateError("only what belongs to a text can be called, as in series.upper()")
    if node.node.attr not in _METHODS:
        raise TemplateError(f"{node.node.attr}() cannot be called here", node.node.attr, _METHODS)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's own sandbox, from which nothing can be reached but texts, numbers, and the items of what is given."""

    intercepted_binops = frozenset({"*", "+", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator != "+" and not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"{operator} takes two numbers")  # not a text, which it would repeat or format
        made = super().call_binop(context, operator, left, right)
        if isinstance(made, int) and made.bit_length() > _WIDEST_NUMBER_BITS:
            raise SecurityError("this number is too large")
        return made if isinstance(made, int | float) else _bounded(made)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, str) and attribute in _METHODS:
            return super().getattr(obj, attribute)
        is_open = isinstance(obj, Mapping | Undefined)  # what is undefined says so itself
        return self.getitem(obj, attribute) if is_open else self.undefined(f"nothing here has {attribute[:60]}")

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (TypeError, LookupError):
            # A mapping that the template has made itself may well lack something.
            is_given = isinstance(obj, Mapping) and not isinstance(obj, dict)
            return _lacking(obj, argument) if is_given else self.undefined(f"there is no {str(argument)[:60]}")


def _lacking(mapping: Mapping[Any, Any], key: object) -> Undefined:
    known = [str(each) for each in mapping]
    there = f"there are {', '.join(known)}" if known else "there are none"

    def unknown(_message: str) -> _UnknownKeyError:
        return _UnknownKeyError(f"{str(key)[:60]} is not known here; {there}", str(key), known)

    # A function where a class is declared: what it makes is raised all the same.
    return StrictUndefined(obj=mapping, name=str(key), exc=unknown)  # type: ignore[arg-type]


def _bounded(made: Any) -> Any:
    if isinstance(made, str | list | tuple) and len(made) > LONGEST_TEXT:
        raise SecurityError(f"this becomes longer than {LONGEST_TEXT} characters")
    return made


def _replace(text: Any, old: str, new: str) -> str:
    before, old, new = str(text), str(old), str(new)
    if len(before) + before.count(old) * len(new) > LONGEST_TEXT:
        raise SecurityError(f"this becomes longer than {LONGEST_TEXT} characters")
    return before.replace(old, new)


def _join(items: Iterable[Any], separator: str = "") -> str:
    parts = [str(item) for item in items]
    if sum(map(len, parts)) + len(parts) * len(separator) > LONGEST_TEXT:
        raise SecurityError(f"this becomes longer than {LONGEST_TEXT} characters")
    return separator.join(parts)


def _format(text: Any, *values: Any) -> str:
    """`"%.1f"|format(value)`."""
    if _WIDE_FORMAT.search(str(text)):
        raise SecurityError("a width or precision here has at most two digits")
    return str(_bounded(str(text) % values))


def _round(value: float, precision: int = 0) -> float:
    if abs(precision) > _MOST_DIGITS:
        raise SecurityError(f"round to at most {_MOST_DIGITS} digits")
    return round(float(value), precision)


class _Encoded(str):
    __slots__ = ()


def _urlencode(value: Any) -> _Encoded:
    return _Encoded(quote(str(_printed(value)), safe="", errors="backslashreplace"))


def _printed(value: Any) -> Any:
    """How a value is printed: calculated numbers without the noise of binary fractions."""
    return f"{value:.12g}" if isinstance(value, float) and not isinstance(value, Shown) else value


def _printed_in_url(value: Any) -> Any:
    if isinstance(value, _Encoded):
        return value
    return quote(str(_printed(value)), safe=_URL_SAFE, errors="backslashreplace")


_OWN_FILTERS = {"format": _format, "join": _join, "replace": _replace, "round": _round, "urlencode": _urlencode}
_FILTERS = {name: FILTERS[name] for name in _PLAIN_FILTERS} | _OWN_FILTERS


def _sandbox(printed: Any) -> _Sandbox:
    made = _Sandbox(
        undefined=StrictUndefined,
        finalize=printed,
        optimized=False,  # nothing is calculated before it is checked
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the receivers show text, not HTML
    )
    made.globals.clear()
    made.filters = dict(_FILTERS)
    made.tests = {name: made.tests[name] for name in _TESTS}
    return made


_FOR_TEXT, _FOR_URLS = _sandbox(_printed), _sandbox(_printed_in_url)
