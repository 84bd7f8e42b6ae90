"""What all mappings of alerts.yml have in common, and how their keys are declared."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
SLACK_URL = "https://hooks.slack.com/services/…"


class Section(BaseModel):
    """A mapping of the file. A key without a value means the same as no key."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_keys_without_value(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = key_names(cls)
        return {key: value for key, value in data.items() if not _is_nothing(value) or key not in known}


def _is_nothing(value: object) -> bool:
    """An empty text as well as none: old files clear a key with ''."""
    return value is None or (isinstance(value, str) and not value.strip())


def unused(why: str, example: object) -> Any:
    """Declare a key of the old program that no longer does anything; the reason is what its user is told."""
    return Field(None, description=why, examples=[example], json_schema_extra={"deprecated": True})


def key_names(section: type[BaseModel]) -> frozenset[str]:
    """The keys as they are written in the file."""
    return frozenset(field.alias or name for name, field in section.model_fields.items())


def unused_keys(section: type[BaseModel]) -> dict[str, str]:
    """The keys that are accepted without effect, and why."""
    return {
        name: field.description or ""
        for name, field in section.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("deprecated")
    }
