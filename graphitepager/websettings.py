"""Where the status page is served, and to whom: what is asked for, and why that may not be."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import NamedTuple

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORT = 8000

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]@]+):(?P<port>[0-9]{1,5})")
_LARGEST_PORT = 65_535


class Address(NamedTuple):
    """Where to listen. The host of an IPv6 address has no brackets here."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """Read `127.0.0.1:8000` or `[::1]:8000`; ValueError, whose text can be shown to the user."""
    written = _ADDRESS.fullmatch(text.strip())
    if written is None or not 0 < int(written["port"]) <= _LARGEST_PORT:
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000")
    return Address(written["host"].strip("[]"), int(written["port"]))


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read `10.0.0.1, 10.1.0.0/16`; ValueError, whose text can be shown to the user."""
    try:
        return tuple(ipaddress.ip_network(word) for word in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("expected addresses or networks such as 10.0.0.1, 10.1.0.0/16") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """What WEB_… and PUBLIC_URL say. Secrets stay out of repr.

    `user` and `password`, or `token` in place of a password, let people in. So does `proxy_header`, in which a proxy at
    one of the addresses in `proxies` says who somebody is. `public_url` is where people find the page.
    """

    bind: Address | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    proxy_header: str | None = None
    proxies: tuple[Network, ...] = ()
    secret: str | None = field(default=None, repr=False)
    public_url: str | None = None

    @property
    def is_guarded(self) -> bool:
        """Whether somebody has to say who they are."""
        return bool((self.user and self.password) or self.token or (self.proxy_header and self.proxies))

    def refusal(self, address: Address) -> str | None:
        """Why nothing may be served at this address, in one line that says what to do; None where it may be."""
        if bool(self.user) != bool(self.password):
            given, lacking = ("WEB_USER", "WEB_PASSWORD") if self.user else ("WEB_PASSWORD", "WEB_USER")
            return f"{given} is set, and {lacking} is not: set both, or neither"
        if self.proxy_header and not self.proxies:
            return (
                "WEB_PROXY_HEADER is set, and WEB_PROXIES is not: name the addresses of the proxy, or anybody could"
                " write that header"
            )
        if not self.is_guarded and not address.is_loopback:
            return (
                f"{address} can be reached from other machines: set WEB_USER and WEB_PASSWORD, or WEB_TOKEN, or"
                " WEB_PROXY_HEADER and WEB_PROXIES; or serve it at 127.0.0.1"
            )
        return None

    def is_proxy(self, address: str) -> bool:
        """Whether what comes from there is believed about whom it speaks for."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self.proxies)
