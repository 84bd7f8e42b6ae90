"""Who fails to log in too often waits, and shuts nobody else out; what is remembered is bounded."""

from __future__ import annotations

from graphitepager.web.attempts import Attempts

ATTACKER, OTHER = "203.0.113.5", "198.51.100.7"


def failing(attempts: Attempts, address: str, times: int, now: float = 0.0) -> int:
    """Fail so often, as far as that is allowed; return how often it was."""
    allowed = 0
    for _ in range(times):
        if attempts.wait_s(address, now) == 0:
            allowed += 1
            attempts.failed(address, now)
    return allowed


def test_the_eleventh_failure_within_five_minutes_has_to_wait() -> None:
    attempts = Attempts()
    assert failing(attempts, ATTACKER, 20) == 10
    assert attempts.wait_s(ATTACKER, 100.0) == 200.0
    assert attempts.wait_s(OTHER, 100.0) == 0
    assert attempts.wait_s(ATTACKER, 300.0) == 0


def test_a_success_clears_the_count() -> None:
    attempts = Attempts()
    failing(attempts, ATTACKER, 9)
    attempts.succeeded(ATTACKER, 1.0)
    assert failing(attempts, ATTACKER, 20, 2.0) == 10


def test_many_addresses_together_have_to_wait_but_not_who_was_in_before() -> None:
    attempts = Attempts()
    attempts.succeeded(OTHER, 0.0)
    allowed = sum(failing(attempts, f"203.0.{n // 250}.{n % 250}", 5) for n in range(100))
    assert allowed == 200
    assert attempts.wait_s("192.0.2.1", 1.0) > 0
    assert attempts.wait_s(OTHER, 1.0) == 0


def test_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    attempts = Attempts()
    assert sum(failing(attempts, f"2001:db8::{n:x}", 1) for n in range(1, 30)) == 10
    assert attempts.wait_s("2001:db8:0:1::1", 0.0) == 0
    assert failing(attempts, "::ffff:203.0.113.5", 20) == 10
    assert attempts.wait_s(ATTACKER, 0.0) > 0


def test_no_more_than_a_thousand_addresses_are_remembered() -> None:
    attempts = Attempts()
    for n in range(5000):
        attempts.failed(f"10.0.{n // 250}.{n % 250}", float(n))
        attempts.succeeded(f"10.1.{n // 250}.{n % 250}", float(n))
    assert len(attempts._by_place) == len(attempts._welcome) == 1000
