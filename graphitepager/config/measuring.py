"""The keys of the pager's metrics about itself: to which Carbon they are sent."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from graphitepager.config.fields import Text, number_or_text, refuse, whole_number
from graphitepager.config.sections import Section
from graphitepager.problems import quote
from graphitepager.rules import CarbonPlace

_HOST = re.compile(r"[^\s/@\[\]]{1,253}")
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,100}(\.[A-Za-z0-9_-]{1,100}){0,9}")


def _host(value: str) -> str:
    host = value.strip().removeprefix("[").removesuffix("]")
    if not _HOST.fullmatch(host) or host.count(":") == 1:  # an IPv6 address has more
        raise refuse("expected the name or the address of a host, such as carbon.example.com; its port is carbon_port")
    return host


def _prefix(value: str) -> str:
    prefix = value.strip().strip(".")
    if not _PREFIX.fullmatch(prefix):
        raise refuse(f"expected letters, digits, _ and -, with dots between, such as ops.pager, got {quote(value)}")
    return prefix


Port = Annotated[
    int,
    BeforeValidator(whole_number(1, 65_535)),
    WithJsonSchema(number_or_text("integer", "[0-9]+", minimum=1, maximum=65_535)),
]


class CarbonKeys(Section):
    """To which Carbon the pager's metrics about itself are sent."""

    carbon_host: Annotated[Text, AfterValidator(_host)] | None = Field(
        None,
        description="The Carbon to which the pager's own metrics are sent; without it to none.",
        examples=["carbon.example.com"],
    )
    carbon_port: Port = Field(2003, description="The port of its plaintext protocol.", examples=[2003])
    carbon_prefix: Annotated[Text, AfterValidator(_prefix)] = Field(
        "graphite_pager", description="What their names begin with.", examples=["ops.graphite_pager"]
    )

    def as_carbon_place(self) -> CarbonPlace | None:
        host = self.carbon_host
        return None if host is None else CarbonPlace(host, self.carbon_port, self.carbon_prefix)
