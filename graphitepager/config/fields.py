"""The kinds of values that alerts.yml and the environment hold: text in, a checked value or a sentence about it out.

YAML hands over every scalar as text (see yamlsource), as the environment does, so one set of kinds serves both.
Each kind also says what an editor should accept, as JSON Schema.
"""

from __future__ import annotations

import ipaddress
import math
import re
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from graphitepager.config.yamlsource import describe
from graphitepager.durations import parse_offset

if TYPE_CHECKING:
    from collections.abc import Callable

_TRUE = frozenset({"true", "yes", "on", "1", "t", "y", "enabled"})
_FALSE = frozenset({"false", "no", "off", "0", "f", "n", "disabled"})
_PAGING_LEVELS = ("warning", "critical", "no_data")
_EVENTS_URLS = "https://events.pagerduty.com or https://events.eu.pagerduty.com"
_DAY_S = 86_400
_ROUTING_KEY_LENGTH = 32
_ROUTING_KEY = re.compile(rf"[A-Za-z0-9]{{{_ROUTING_KEY_LENGTH}}}")


def refuse(message: str, hint: str | None = None) -> PydanticCustomError:
    """The error by which a validator says what it expected; config.py puts it into words with its place."""
    # The text travels in the context, because pydantic would read braces in a template.
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refuse(f"expected a text, got {describe(value)}")
    return value


def _number(value: object) -> float:
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise refuse(f"expected a number, got {describe(value)}")
    return number


def _seconds(value: object) -> float:
    seconds = _number(value)
    if not 0 < seconds <= _DAY_S:
        raise refuse(f"expected seconds, more than 0 and at most {_DAY_S}, got {describe(value)}")
    return seconds


def _whole_number(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        try:
            number = int(value) if isinstance(value, str) else None
        except ValueError:
            number = None
        if number is None or not low <= number <= high:
            raise refuse(f"expected a whole number from {low} to {high}, got {describe(value)}")
        return number

    return check


def _switch(value: object) -> bool:
    word = value.strip().lower() if isinstance(value, str) else None
    if word not in _TRUE | _FALSE:
        raise refuse(f"expected yes or no, got {describe(value)}")
    return word in _TRUE


def _paging_level(value: object) -> object:
    if value not in _PAGING_LEVELS:
        raise refuse(f"expected warning, critical or no_data, got {describe(value)}")
    return value


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _graphite_time(value: str) -> str:
    try:
        parse_offset(value)
    except ValueError as error:
        raise refuse(str(error)) from None
    return value.strip()


def _routing_key(value: object) -> str:
    """Never quotes what it was given: a mistyped key is a secret, too."""
    key = value.strip() if isinstance(value, str) else ""
    if _ROUTING_KEY.fullmatch(key):
        return key
    if not isinstance(value, str):
        raise refuse(f"expected a routing key of 32 letters and digits, got {describe(value)}")
    if len(key) == _ROUTING_KEY_LENGTH:
        raise refuse("a routing key has 32 letters and digits, and this one holds other characters")
    count = f"{len(key)} character" + ("" if len(key) == 1 else "s")
    raise refuse(f"{count}, a routing key has 32 letters and digits", "copy it from the service's Events API v2")


def _base_url(value: str, example: str) -> SplitResult:
    """The parts of an http(s) URL that a path can be put behind; its text may hold a password and is not quoted."""
    try:
        url = urlsplit(value)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s?#\\]", value):
        hint = "percent-encode the password, or set it apart from the URL" if "@" in value else None
        raise refuse(f"expected a URL like {example}", hint)
    return url


def _graphite_url(value: str) -> str:
    url = value.strip().rstrip("/")
    _base_url(url, "https://graphite.example.com, with nothing after the path")
    return url


def _events_url(value: str) -> str:
    url = value.strip().rstrip("/")
    parts = _base_url(url, _EVENTS_URLS)
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise refuse("routing keys travel over https only", f"write {_EVENTS_URLS}")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _numeric_schema(kind: str, pattern: str, **bounds: int) -> WithJsonSchema:
    """A number, or a text that holds one: both are the same to us."""
    return WithJsonSchema({"anyOf": [{"type": kind, **bounds}, {"type": "string", "pattern": rf"^\s*{pattern}\s*$"}]})


_DECIMAL = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
_DIGITS = r"\+?[0-9]+"
# What a YAML 1.2 editor takes for a number or a boolean is still a text here: a name such as 404.
_TEXT_SCHEMA = WithJsonSchema({"type": ["string", "number", "boolean"]})
_URL_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^https?://"})

Text = Annotated[str, BeforeValidator(_text), _TEXT_SCHEMA]
Secret = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"], "writeOnly": True})]
Number = Annotated[float, BeforeValidator(_number), _numeric_schema("number", _DECIMAL)]
Seconds = Annotated[
    float, BeforeValidator(_seconds), _numeric_schema("number", _DECIMAL, exclusiveMinimum=0, maximum=_DAY_S)
]
Connections = Annotated[
    int, BeforeValidator(_whole_number(1, 64)), _numeric_schema("integer", _DIGITS, minimum=1, maximum=64)
]
Polls = Annotated[
    int, BeforeValidator(_whole_number(0, 10_000)), _numeric_schema("integer", _DIGITS, minimum=0, maximum=10_000)
]
Switch = Annotated[
    bool,
    BeforeValidator(_switch),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"enum": sorted(_TRUE | _FALSE)}]}),
]
GraphiteTime = Annotated[str, BeforeValidator(_text), AfterValidator(_graphite_time), _TEXT_SCHEMA]
RoutingKey = Annotated[
    str,
    BeforeValidator(_routing_key),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_ROUTING_KEY.pattern}$", "writeOnly": True}),
]
GraphiteUrl = Annotated[str, BeforeValidator(_text), AfterValidator(_graphite_url), _URL_SCHEMA]
EventsUrl = Annotated[str, BeforeValidator(_text), AfterValidator(_events_url), _URL_SCHEMA]
SeriesNames = Annotated[
    list[Text],
    BeforeValidator(_list),
    WithJsonSchema({"anyOf": [{"type": "array", "items": _TEXT_SCHEMA.json_schema}, _TEXT_SCHEMA.json_schema]}),
]
PagingLevel = Annotated[Literal["warning", "critical", "no_data"], BeforeValidator(_paging_level)]
PagingLevels = Annotated[
    list[PagingLevel],
    BeforeValidator(_list),
    WithJsonSchema(
        {"anyOf": [{"type": "array", "items": {"enum": [*_PAGING_LEVELS]}}, {"enum": [*_PAGING_LEVELS]}]},
    ),
]
