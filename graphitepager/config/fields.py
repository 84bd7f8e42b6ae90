"""The kinds of values that alerts.yml and the environment hold: text in, a checked value or a sentence about it out.

YAML hands over every scalar as text (see yamlsource), as the environment does, so one set of kinds serves both.
Each kind also says what an editor should accept, as JSON Schema.
"""

from __future__ import annotations

import difflib
import enum
import math
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from graphitepager.config.yamlsource import describe
from graphitepager.durations import DURATION_PATTERN, parse_duration, parse_offset
from graphitepager.problems import quote
from graphitepager.rules import ComparedAs, Judged, NoDataPolicy, OnVanish
from graphitepager.thresholds import NUMBER_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_TRUE = frozenset({"true", "yes", "on", "1", "t", "y", "enabled"})
_FALSE = frozenset({"false", "no", "off", "0", "f", "n", "disabled"})
_PAGING_LEVELS = ("warning", "critical", "no_data")
_TOKEN = re.compile(r"[!-~]+")
_NODE = re.compile(r"[+-]?[0-9]{1,3}")
# As Graphite has them: https://graphite.readthedocs.io/en/stable/tags.html
_TAG = re.compile(r"[^;!^=.,\s()]+")
_DAY_S = 86_400
_MINUTE = timedelta(minutes=1)
_ROUTING_KEY_LENGTH = 32
_Word = TypeVar("_Word", bound=enum.Enum)
_ROUTING_KEY = re.compile(rf"[A-Za-z0-9]{{{_ROUTING_KEY_LENGTH}}}")


def refuse(message: str, hint: str | None = None) -> PydanticCustomError:
    """The error by which a validator says what it expected; config.py puts it into words with its place."""
    # The text travels in the context, because pydantic would read braces in a template.
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint for a word that is not among the known ones, if one of those is much like it."""
    by_lower_case = {name.lower(): name for name in known}
    word = word.strip().lower()
    transposed = [name for name in by_lower_case if sorted(name) == sorted(word)]
    close = transposed or difflib.get_close_matches(word, by_lower_case, n=1)
    return f"did you mean {quote(by_lower_case[close[0]])[1:-1]}?" if close else None


class OneOrMore:
    """Tells editors that a list of one item may be written as that item."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        return {"anyOf": [schema, schema["items"]]}


@dataclass(frozen=True, slots=True)
class Or:
    """Tells editors what a value may be besides."""

    schema: dict[str, Any]

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(core_schema), self.schema]}


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


def whole_number(low: int, high: int) -> Callable[[object], int]:
    """A check that it is one, and in these bounds."""

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


def _node(value: object) -> int | str:
    word = value.strip() if isinstance(value, str) else ""
    if _NODE.fullmatch(word):
        return int(word)
    if _TAG.fullmatch(word):
        return word
    raise refuse(f"expected the number of a node, such as 1 or -2, or the name of a tag, got {describe(value)}")


def _scale(value: float) -> float:
    if not value:
        raise refuse("expected a number other than 0, with which every ratio would be 0")
    return value


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def duration(value: object) -> timedelta:
    """Check a length of time; the number that it may be has to be a text, as all scalars are."""
    if not isinstance(value, str):
        raise refuse(f"expected a duration such as 90s, 5min or 1h30min, got {describe(value)}")
    try:
        return parse_duration(value)
    except ValueError as error:
        # Quoted as all words of the user are: on one line, not too long, without secrets.
        raise refuse(str(error).replace(repr(value), describe(value))) from None


def _days(value: object) -> timedelta:
    length = duration(value)
    if length < timedelta(days=1):
        raise refuse(f"expected at least 1d, got {describe(value)}")
    return length


def _some_time(value: object) -> timedelta:
    length = duration(value)
    if not length:
        raise refuse(f"expected a duration of more than 0, got {describe(value)}")
    return length


def _repeat_interval(value: object) -> timedelta | None:
    if isinstance(value, str) and value.strip() == "never":
        return None
    length = duration(value)
    if length < _MINUTE:
        raise refuse(f"expected a duration of at least 1min, or never, got {describe(value)}")
    return length


def word_of(words: type[_Word]) -> Callable[[object], _Word]:
    """The check for one of an enum's values."""
    *others, last = (word.value for word in words)

    def check(value: object) -> _Word:
        try:
            return words(value.strip() if isinstance(value, str) else value)
        except ValueError:
            hint = did_you_mean(value, (*others, last)) if isinstance(value, str) else None
            raise refuse(f"expected {', '.join(others)} or {last}, got {describe(value)}", hint) from None

    return check


def _token(value: object) -> str:
    """Never quotes what it was given. What is no printable ASCII cannot travel in a header."""
    token = value.strip() if isinstance(value, str) else ""
    if not _TOKEN.fullmatch(token):
        raise refuse("expected a token of letters, digits and signs, without spaces", "copy it from PagerDuty")
    return token


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


def number_or_text(kind: str, pattern: str, **bounds: int) -> dict[str, Any]:
    """A number, or a text that holds one: both are the same to us."""
    return {"anyOf": [{"type": kind, **bounds}, {"type": "string", "pattern": rf"^\s*{pattern}\s*$"}]}


def _numeric_schema(kind: str, pattern: str, **bounds: int) -> WithJsonSchema:
    return WithJsonSchema(number_or_text(kind, pattern, **bounds))


_DIGITS = r"\+?[0-9]+"
# What a YAML 1.2 editor takes for a number or a boolean is still a text here: a name such as 404.
_TEXT_SCHEMA = WithJsonSchema({"type": ["string", "number", "boolean"]})

Text = Annotated[str, BeforeValidator(_text), _TEXT_SCHEMA]
Secret = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"], "writeOnly": True})]
Seconds = Annotated[
    float, BeforeValidator(_seconds), _numeric_schema("number", NUMBER_PATTERN, exclusiveMinimum=0, maximum=_DAY_S)
]
Connections = Annotated[
    int, BeforeValidator(whole_number(1, 64)), _numeric_schema("integer", _DIGITS, minimum=1, maximum=64)
]
Polls = Annotated[
    int, BeforeValidator(whole_number(0, 10_000)), _numeric_schema("integer", _DIGITS, minimum=0, maximum=10_000)
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
Token = Annotated[str, BeforeValidator(_token), WithJsonSchema({"type": ["string", "number"], "writeOnly": True})]
Names = Annotated[list[Text], BeforeValidator(_list), OneOrMore()]
PagingLevel = Annotated[Literal["warning", "critical", "no_data"], BeforeValidator(_paging_level)]
PagingLevels = Annotated[list[PagingLevel], BeforeValidator(_list), OneOrMore()]
StormLimit = Annotated[
    int, BeforeValidator(whole_number(1, 10_000)), _numeric_schema("integer", _DIGITS, minimum=1, maximum=10_000)
]

SeriesCount = Annotated[
    int, BeforeValidator(whole_number(0, 1_000_000)), _numeric_schema("integer", _DIGITS, minimum=0, maximum=1_000_000)
]

RowCount = Annotated[
    int, BeforeValidator(whole_number(1, 10**9)), _numeric_schema("integer", _DIGITS, minimum=1, maximum=10**9)
]

DURATION_SCHEMA = number_or_text("integer", DURATION_PATTERN, minimum=0)
_DURATION_SCHEMA = WithJsonSchema(DURATION_SCHEMA)
Duration = Annotated[timedelta, BeforeValidator(duration), _DURATION_SCHEMA]
SomeTime = Annotated[timedelta, BeforeValidator(_some_time), _DURATION_SCHEMA]
Days = Annotated[timedelta, BeforeValidator(_days), _DURATION_SCHEMA]
RepeatInterval = Annotated[
    timedelta | None, BeforeValidator(_repeat_interval), _DURATION_SCHEMA, Or({"const": "never"})
]

JudgedWord = Annotated[Judged, BeforeValidator(word_of(Judged))]
NoDataWord = Annotated[NoDataPolicy, BeforeValidator(word_of(NoDataPolicy))]
OnVanishWord = Annotated[OnVanish, BeforeValidator(word_of(OnVanish))]
ComparedWord = Annotated[ComparedAs, BeforeValidator(word_of(ComparedAs))]

Scale = Annotated[float, BeforeValidator(_number), _numeric_schema("number", NUMBER_PATTERN), AfterValidator(_scale)]
Node = Annotated[int | str, BeforeValidator(_node), WithJsonSchema({"type": ["integer", "string"]})]
Nodes = Annotated[list[Node], BeforeValidator(_list), OneOrMore()]

_SCALAR = {"type": ["string", "number", "boolean"]}
_SCALARS = {"type": "object", "additionalProperties": _SCALAR}
_VALUES = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]}
# What is replaced before the schema's turn comes; editors are to know it all the same.
Scalars = Annotated[Any, WithJsonSchema(_SCALARS)]
ForEach = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": _VALUES, "minProperties": 1},
                {"type": "array", "items": {**_SCALARS, "minProperties": 1}, "minItems": 1},
            ]
        }
    ),
]
