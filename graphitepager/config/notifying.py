"""Who is told, and how loudly: named notifiers, an alert's `notify`, and PagerDuty's severity.

What a kind of notifier wants to know stands in its own file in notifiers/, as a subclass of `NotifierKeys`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    WrapValidator,
)

from graphitepager import globs
from graphitepager.config.fields import Or, PagingLevels, SomeTime, Text, did_you_mean, refuse, word_of
from graphitepager.config.muting import Mutes
from graphitepager.config.sections import Section
from graphitepager.config.yamlsource import describe
from graphitepager.durations import format_duration
from graphitepager.errors import PagerError
from graphitepager.rules import Level, Route, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import PydanticCustomError

_NAME_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_NAMES_SCHEMA: dict[str, Any] = {"anyOf": [_NAME_SCHEMA, {"type": "array", "items": _NAME_SCHEMA, "minItems": 1}]}
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_LEVELS = ("warning", "critical", "no_data")


SeverityWord = Annotated[Severity, BeforeValidator(word_of(Severity))]


class EscalateKeys(Section):
    """When and to whom an incident is passed on that nobody has acknowledged."""

    after: SomeTime = Field(description="How long after it was told.", examples=["15min"])
    to: Text = Field(description="A name of notifiers.", examples=["boss"])


def _digest(value: timedelta) -> timedelta:
    if not _MINUTE <= value <= _DAY:
        raise refuse(f"expected between 1min and 1d, got {format_duration(value)}")
    return value


Digest = Annotated[SomeTime, AfterValidator(_digest)]


class NotifierKeys(Section):
    """Somebody to tell, or somewhere to write: what every kind has."""

    type: Text = Field(description="What kind it is, such as pagerduty or slack.", examples=["pagerduty"])
    fallback: Text | None = Field(
        None, description="Who is told instead when this one has been dead for five minutes.", examples=["mail"]
    )
    escalate: EscalateKeys | None = Field(
        None,
        description="Who else is told of an incident that nobody acknowledges.",
        examples=[{"after": "15min", "to": "boss"}],
    )
    digest: Digest | None = Field(
        None, description="Collect warnings, and tell of them together, so often.", examples=["1h"]
    )

    def address(self) -> str:
        """All that it takes to deliver there: it is stored with each delivery, and the kind's `send` gets it back."""
        return ""

    def secrets(self) -> Iterable[str]:
        """What no log may hold. The address as a whole is secret anyway."""
        return ()

    def as_route(self) -> Route:
        return Route(self.type, self.address())


# What every kind has: names and times, no secrets.
PLAIN_KEYS = frozenset(NotifierKeys.model_fields)


def _by_type(value: object, _handler: object, info: ValidationInfo) -> NotifierKeys:
    """Check the keys by what its kind takes. The kinds come with the validation's context."""
    if not isinstance(value, dict):
        return NotifierKeys.model_validate(value)
    kinds: Mapping[str, type[NotifierKeys]] = (info.context or {}).get("notifiers", {})
    name = value.get("type")
    if isinstance(name, str) and name.strip() in kinds:
        try:
            kind = kinds[name.strip()]
        except PagerError as error:  # somebody else's package
            raise _complaint(refuse(str(error))) from None
        return kind.model_validate({**value, "type": name.strip()})
    if name is None or (isinstance(name, str) and not name.strip()):
        raise _complaint("missing")
    hint = did_you_mean(name, kinds) if isinstance(name, str) else None
    raise _complaint(refuse(f"expected {in_words(kinds)}, got {describe(name)}", hint))


def _complaint(error: PydanticCustomError | str) -> ValidationError:
    return ValidationError.from_exception_data("notifier", [{"type": error, "loc": ("type",), "input": None}])


def in_words(kinds: Iterable[str]) -> str:
    """`exec, mail or slack`."""
    *others, last = kinds or ("a kind of notifier",)
    return f"{', '.join(others)} or {last}" if others else last


AnyNotifier = Annotated[NotifierKeys, WrapValidator(_by_type)]


def _names(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise refuse(f"expected the name of a notifier, or a list of names, got {describe(name)}")
    if not names:
        raise refuse("expected at least one name, got an empty list", "page_on: [] is how an alert pages nobody")
    return tuple(dict.fromkeys(names))


Notifiers = Annotated[tuple[str, ...], BeforeValidator(_names), WithJsonSchema(_NAMES_SCHEMA)]


def _glob(value: str) -> str:
    try:
        globs.compiled(value)
    except ValueError as error:
        raise refuse(str(error)) from None
    return value


class RuleKeys(Section):
    """Who is told of what: all of its conditions have to fit."""

    labels: dict[str, Annotated[Text, AfterValidator(_glob)]] = Field(
        default={}, description="What the alert's labels are like, as globs.", examples=[{"team": "dba"}]
    )
    levels: PagingLevels = Field(
        default=["warning", "critical", "no_data"],
        min_length=1,
        description="The levels that it is for.",
        examples=[["critical"]],
    )
    when: Mutes = Field(
        default=[],
        description="The times that it is for: windows as those of mute, or names of mute_windows.",
        examples=[{"days": "mon-fri", "from": "09:00", "until": "17:00"}],
    )
    notify: Notifiers = Field(description="Who is told then: a name of notifiers, or several.", examples=["dba"])


class NotifyKeys(Section):
    """Names of notifiers for each level; at a level that is left out, the default applies."""

    warning: Notifiers | None = Field(None, description="Who is told of warnings.", examples=["console"])
    critical: Notifiers | None = Field(None, description="Who is told of criticals.", examples=[["dba", "console"]])
    no_data: Notifiers | None = Field(None, description="Who is told of missing data.", examples=["dba"])

    def by_level(self) -> dict[Level, tuple[str, ...]]:
        return {Level(level): names for level in _LEVELS if (names := getattr(self, level))}


class SeverityKeys(Section):
    """PagerDuty's severity for each level."""

    warning: SeverityWord | None = Field(None, description="At Warning; warning by default.", examples=["info"])
    critical: SeverityWord | None = Field(None, description="At Critical; critical by default.", examples=["error"])
    no_data: SeverityWord | None = Field(None, description="At NO DATA; error by default.", examples=["warning"])

    def by_level(self) -> dict[Level, Severity]:
        return {Level(level): severity for level in _LEVELS if (severity := getattr(self, level))}


def _notify_at_every_level(value: object) -> object:
    if isinstance(value, dict | NotifyKeys):
        return value
    names = _names(value)
    return NotifyKeys.model_construct(warning=names, critical=names, no_data=names)


def _severity_at_every_level(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = word_of(Severity)(value)
    return SeverityKeys.model_construct(warning=word, critical=word, no_data=word)


Notify = Annotated[NotifyKeys, BeforeValidator(_notify_at_every_level), Or(_NAMES_SCHEMA)]
SeverityAtLevels = Annotated[
    SeverityKeys, BeforeValidator(_severity_at_every_level), Or({"enum": [word.value for word in Severity]})
]
