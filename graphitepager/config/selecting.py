"""`include`, `exclude` and `expect_series`: which series are an entry's own, and how many there should be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from graphitepager import selection
from graphitepager.config.fields import OneOrMore, SeriesCount, Text, refuse
from graphitepager.config.sections import Section
from graphitepager.config.yamlsource import describe
from graphitepager.rules import Expected, Level


def _pattern(text: str) -> str:
    try:
        selection.parse(text)
    except ValueError as error:
        raise refuse(str(error)) from None
    return text


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _level(value: object) -> object:
    if value not in ("warning", "critical"):
        raise refuse(f"expected warning or critical, got {describe(value)}")
    return value


Pattern = Annotated[Text, AfterValidator(_pattern)]
Patterns = Annotated[list[Pattern], BeforeValidator(_list), OneOrMore()]


class ExpectKeys(Section):
    """How many series an entry is to own."""

    min: SeriesCount | None = Field(None, description="Fewer are an incident.", examples=[3])
    max: SeriesCount | None = Field(None, description="More are an incident.", examples=[10])
    level: Annotated[Literal["warning", "critical"], BeforeValidator(_level)] = Field(
        "critical", description="The level of that incident.", examples=["warning"]
    )

    @model_validator(mode="after")
    def _agree(self) -> ExpectKeys:
        if self.min is None and self.max is None:
            raise refuse("expected min, max or both", "write expect_series: {min: 3}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refuse(f"no number is at least {self.min} and at most {self.max}")
        return self

    @property
    def expected(self) -> Expected:
        return Expected(least=self.min, most=self.max, level=Level(self.level))
