"""Nothing is served to other machines without a login, and the refusal says what to set."""

from __future__ import annotations

import pytest

from graphitepager.websettings import Address, WebSettings, parse_address, parse_networks

LOOPBACK, ANYWHERE = Address("127.0.0.1", 8000), Address("0.0.0.0", 8000)  # noqa: S104 - only spoken of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", Address("127.0.0.1", 8000)),
        ("[::1]:80", Address("::1", 80)),
        (" pager.example.com:443 ", Address("pager.example.com", 443)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", ["", "8000", ":8000", "localhost", "localhost:0", "a:65536", "::1:80", "http://a:80"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected HOST:PORT, such as 127\.0\.0\.1:8000"):
        parse_address(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_no_login(host: str) -> None:
    assert WebSettings().refusal(Address(host, 1)) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "pager.example.com", "localhost.example.com"])  # noqa: S104
def test_other_machines_need_one(host: str) -> None:
    refusal = WebSettings().refusal(Address(host, 1))
    assert refusal is not None
    assert "set WEB_USER and WEB_PASSWORD, or WEB_TOKEN" in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize(
    "settings",
    [
        WebSettings(user="oncall", password="correct horse"),
        WebSettings(token="t" * 16),
        WebSettings(proxy_header="X-Forwarded-User", proxies=parse_networks("10.0.0.1")),
    ],
)
def test_each_kind_of_login_will_do(settings: WebSettings) -> None:
    assert settings.refusal(ANYWHERE) is None


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (WebSettings(user="oncall"), "WEB_USER is set, and WEB_PASSWORD is not"),
        (WebSettings(password="correct horse"), "WEB_PASSWORD is set, and WEB_USER is not"),
        (WebSettings(proxy_header="X-Forwarded-User", token="t" * 16), "WEB_PROXIES is not"),
    ],
)
def test_half_a_login_is_refused_even_for_this_machine(settings: WebSettings, what: str) -> None:
    assert what in (settings.refusal(LOOPBACK) or "")


def test_only_the_proxies_that_are_named_are_believed() -> None:
    settings = WebSettings(proxies=parse_networks("10.1.0.0/16, 192.0.2.7 ::1"))
    assert [settings.is_proxy(one) for one in ("10.1.2.3", "192.0.2.7", "::1", "::ffff:10.1.2.3")] == [True] * 4
    assert not any(settings.is_proxy(one) for one in ("10.2.0.1", "192.0.2.8", "", "unix:", "::2"))


def test_no_secret_shows_in_a_repr() -> None:
    shown = repr(WebSettings(user="u", password="pass-word", token="tok-tok", secret="sec-ret"))
    assert not any(word in shown for word in ("pass-word", "tok-tok", "sec-ret"))
