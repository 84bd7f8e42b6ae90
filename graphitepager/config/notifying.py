"""Who is told, and how loudly: named notifiers, an alert's `notify`, and PagerDuty's severity."""

from __future__ import annotations

import enum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from graphitepager.config.fields import Or, RoutingKey, refuse, word_of
from graphitepager.config.sections import ROUTING_KEY, Section
from graphitepager.config.yamlsource import describe
from graphitepager.rules import Level, Route, Severity

_NAME_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_NAMES_SCHEMA: dict[str, Any] = {"anyOf": [_NAME_SCHEMA, {"type": "array", "items": _NAME_SCHEMA, "minItems": 1}]}
_LEVELS = ("warning", "critical", "no_data")


class NotifierType(enum.Enum):
    """The notifiers that there are, by the names of the registry in notifiers/."""

    PAGERDUTY = "pagerduty"
    STDOUT = "stdout"


TypeWord = Annotated[NotifierType, BeforeValidator(word_of(NotifierType))]
SeverityWord = Annotated[Severity, BeforeValidator(word_of(Severity))]


class NotifierKeys(Section):
    """Somebody to tell, or somewhere to write."""

    type: TypeWord = Field(description="What it is: pagerduty or stdout.", examples=["pagerduty"])
    key: RoutingKey | None = Field(
        None, description="With pagerduty, the routing key of the service.", examples=[ROUTING_KEY]
    )

    @model_validator(mode="after")
    def _have_what_the_type_needs(self) -> NotifierKeys:
        if self.type is NotifierType.PAGERDUTY and self.key is None:
            raise refuse("pagerduty needs a key", "write key: and the routing key of the service")
        if self.type is not NotifierType.PAGERDUTY and self.key is not None:
            raise refuse(f"{self.type.value} has no key", "delete it")
        return self

    def as_route(self) -> Route:
        return Route(self.type.value, self.key or "")


def _names(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise refuse(f"expected the name of a notifier, or a list of names, got {describe(name)}")
    if not names:
        raise refuse("expected at least one name, got an empty list", "page_on: [] is how an alert pages nobody")
    return tuple(dict.fromkeys(names))


Notifiers = Annotated[tuple[str, ...], BeforeValidator(_names), WithJsonSchema(_NAMES_SCHEMA)]


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
