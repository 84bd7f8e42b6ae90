"""The keys of the status page: where it is served, and to whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from graphitepager.config.fields import Secret, Text, refuse
from graphitepager.config.sections import Section
from graphitepager.config.urls import PublicUrl
from graphitepager.websettings import WebSettings, parse_address, parse_networks

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADER = re.compile(r"[A-Za-z0-9-]+")
_SHORTEST_SECRET = 16
_SHORTEST_PASSWORD = 8


def _checked(parse: Callable[[str], object]) -> AfterValidator:
    """The text stays as it is; what it cannot be is told."""

    def check(value: str) -> str:
        try:
            parse(value)
        except ValueError as error:
            raise refuse(str(error)) from None
        return value.strip()

    return AfterValidator(check)


def _header(value: str) -> str:
    if not _HEADER.fullmatch(value.strip()):
        raise refuse("expected the name of a header, such as X-Forwarded-User")
    return value.strip()


def _at_least(length: int, hint: str) -> AfterValidator:
    """Never quotes what it was given."""

    def check(value: str) -> str:
        if len(value.strip()) < length:
            raise refuse(f"expected at least {length} characters, got {len(value.strip())}", hint)
        return value.strip()

    return AfterValidator(check)


_HARD_TO_GUESS = _at_least(_SHORTEST_SECRET, "make one with: openssl rand -hex 32")


class WebKeys(Section):
    """Where the status page is served, and to whom."""

    web_bind: Annotated[Text, _checked(parse_address)] | None = Field(
        None,
        description="Where `graphite-pager web` serves the status page; by default for this machine only.",
        examples=["127.0.0.1:8000"],
    )
    web_user: Text | None = Field(None, description="Who may see the status page.", examples=["oncall"])
    web_password: Annotated[Secret, _at_least(_SHORTEST_PASSWORD, "a longer one is harder to guess")] | None = Field(
        None, description="The password of web_user.", examples=["…"]
    )
    web_token: Annotated[Secret, _HARD_TO_GUESS] | None = Field(
        None, description="A token that opens the status page: as a password, or as a bearer token.", examples=["…"]
    )
    web_proxy_header: (
        Annotated[Text, AfterValidator(_header), WithJsonSchema({"type": "string", "pattern": f"^{_HEADER.pattern}$"})]
        | None
    ) = Field(None, description="The header in which a proxy says who somebody is.", examples=["X-Forwarded-User"])
    web_proxies: Annotated[Text, _checked(parse_networks)] | None = Field(
        None,
        description="The addresses of that proxy: nobody else's header counts.",
        examples=["10.0.0.1, 10.1.0.0/16"],
    )
    web_secret: Annotated[Secret, _HARD_TO_GUESS] | None = Field(
        None, description="What forms and links are signed with; by default a secret in the database.", examples=["…"]
    )
    public_url: PublicUrl | None = Field(
        None, description="Where people find the status page.", examples=["https://pager.example.com"]
    )

    def as_web_settings(self) -> WebSettings:
        return WebSettings(
            bind=parse_address(self.web_bind) if self.web_bind else None,
            user=self.web_user,
            password=self.web_password,
            token=self.web_token,
            proxy_header=self.web_proxy_header,
            proxies=parse_networks(self.web_proxies or ""),
            secret=self.web_secret,
            public_url=self.public_url,
        )
