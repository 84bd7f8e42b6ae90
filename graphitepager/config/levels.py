"""`for` and `clear`: what an alert says for each of its levels."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from graphitepager.config.bounds import (
    QuantityText,
)
from graphitepager.config.fields import (
    DURATION_SCHEMA,
    Duration,
    Or,
    duration,
)
from graphitepager.config.sections import Section


class LevelDurations(Section):
    """A length of time for each level that has a threshold."""

    warning: Duration = Field(
        timedelta(0),
        description="How long at Warning; 0 by default.",
        examples=["10min"],
        json_schema_extra={"default": 0},
    )
    critical: Duration = Field(
        timedelta(0),
        description="How long at Critical; 0 by default.",
        examples=["2min"],
        json_schema_extra={"default": 0},
    )


class ClearKeys(Section):
    """Where a value counts as good again, for each level that has a threshold."""

    warning: QuantityText = Field(None, description="Where a warning ends.", examples=[40, "75%"])
    critical: QuantityText = Field(None, description="Where a critical ends.", examples=[60, "400ms"])


def _for_both_levels(value: object) -> object:
    if not isinstance(value, str):
        return value
    length = duration(value)
    return LevelDurations.model_construct(warning=length, critical=length)


ForLevels = Annotated[LevelDurations, BeforeValidator(_for_both_levels), Or(DURATION_SCHEMA)]
