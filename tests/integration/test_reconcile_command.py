"""`graphite-pager reconcile` as its users call it, between a database and a strict PagerDuty."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import URL

from graphitepager.incidents import DEDUP_PREFIX, dedup_key
from graphitepager.model import SeriesKey
from graphitepager.notifiers.pagerduty import PagerDuty
from graphitepager.rules import Level, Route
from graphitepager.store import Store
from tests.fakes.pagerduty import FakePagerDuty, Fault, assert_no_secret
from tests.integration.pager_process import run
from tests.integration.store_support import NOON, record, resolved, triggered

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.pagerduty import Event

KEY = "R0utingKey0123456789abcdefgh7XqZ"
OPS = Route("pagerduty", KEY)
DEV = Route("pagerduty", KEY.swapcase())
STDOUT = Route("stdout", "")
LATER = NOON + timedelta(days=1)
LEASE = timedelta(seconds=15)
AGREED = "1 open here and at PagerDuty, 0 stray, 0 foreign, 0 missing\n"


@pytest.fixture
def fake() -> Iterator[FakePagerDuty]:
    with FakePagerDuty() as running:
        yield running
        assert running.rejected() == ()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: 'a.b', warning: 8, critical: 12}]\n")
    with Store.open(URL.create("sqlite", database=str(tmp_path / "graphite-pager.db"))) as store:
        yield store


def key_of(series: str) -> str:
    return dedup_key(SeriesKey("Load", series), Level.WARNING)


def send(store: Store, fake: FakePagerDuty) -> None:
    """Send what waits, as the pager does."""
    while claimed := store.claim(LATER, worker="test", lease=LEASE, limit=100):
        for delivery in claimed:
            if delivery.route.notifier == "pagerduty":
                PagerDuty(fake.url).send(delivery.message, delivery.route.address)
            assert store.mark_sent(delivery.id, "test", LATER, "202")


def fire(store: Store, fake: FakePagerDuty, series: str, *routes: Route) -> None:
    record(store, triggered(series, *(routes or (OPS,))))
    send(store, fake)


def leave_stray(store: Store, fake: FakePagerDuty, series: str, *routes: Route) -> None:
    """Open an incident, and have PagerDuty accept its resolve without doing anything."""
    fire(store, fake, series, *routes)
    record(store, resolved(series))
    fake.fail_next(Fault.ACCEPT_WITHOUT_INCIDENT, times=len(routes) or 1)
    send(store, fake)


def reconcile(fake: FakePagerDuty, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PAGERDUTY_API_TOKEN": fake.api_token,
        "PAGERDUTY_API_URL": fake.url,
        "PAGERDUTY_EVENTS_URL": fake.url,
    }
    done = run("reconcile", *arguments, environment=environment | variables, folder=folder)
    assert_no_secret(done.stdout + done.stderr, [KEY, fake.api_token, fake.api_token[-4:]])
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_what_is_open_at_both_is_no_difference(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    fire(store, fake, "web1", OPS, STDOUT)
    done = reconcile(fake, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, AGREED, "")


def test_a_stray_is_shown_and_left_alone(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    leave_stray(store, fake, "web1")
    fake.acknowledge(KEY, key_of("web1"))
    done = reconcile(fake, tmp_path)
    title, _, row, *_ = done.stdout.splitlines()
    assert (done.returncode, title) == (1, "Strays: open at PagerDuty, ended here. --fix resolves them.")
    assert row.split()[:4] == ["Load", "web1", "Warning", "acknowledged"]
    assert row.split()[-1] == "https://example.pagerduty.com/incidents/Q000001"
    assert len(fake.open_incidents()) == 1


def test_fix_resolves_strays_and_nothing_else(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    fire(store, fake, "web1")
    leave_stray(store, fake, "web2")
    done = reconcile(fake, tmp_path, "--fix")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "Load: web2 (Warning): resolved: 202 Event processed"
    assert [incident.dedup_key for incident in fake.open_incidents()] == [key_of("web1")]
    again = reconcile(fake, tmp_path)
    assert (again.returncode, again.stdout) == (0, AGREED)


def test_fix_resolves_at_every_service_that_was_told(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    leave_stray(store, fake, "web1", OPS, DEV)
    done = reconcile(fake, tmp_path, "--fix")
    assert [line.split(": ", 2)[2] for line in done.stdout.splitlines()[-2:]] == [
        "resolved (service 1 of 2): 202 Event processed",
        "resolved (service 2 of 2): 202 Event processed",
    ]
    assert (done.returncode, fake.open_incidents()) == (0, ())


def test_what_another_installation_opened_is_never_touched(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    with Store.open(URL.create("sqlite", database=str(tmp_path / "other.db"))) as other:
        fire(other, fake, "web9")
    done = reconcile(fake, tmp_path, "--fix")
    assert done.stdout.startswith("Foreign: open at PagerDuty, unknown here: another installation's")
    assert "Warning: web9" in done.stdout
    assert (done.returncode, len(fake.open_incidents())) == (0, 1)


def test_what_was_closed_by_hand_is_said_to_be_told_again(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    fire(store, fake, "web1")
    fake.resolve(KEY, key_of("web1"))
    told = len(fake.events())
    done = reconcile(fake, tmp_path, "--fix")
    title, _, row, *_ = done.stdout.splitlines()
    assert title.startswith("Missing: open here, not at PagerDuty. Each is told again at its next repeat_interval")
    assert (row.split(), done.returncode, len(fake.events())) == (["Load", "web1", "Warning"], 0, told)


def test_a_page_that_waits_to_be_sent_is_not_missing(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    record(store, triggered("web1", OPS))
    assert "0 missing" in reconcile(fake, tmp_path).stdout


def test_json_says_the_same(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    leave_stray(store, fake, "web1")
    fire(store, fake, "web2")
    fake.resolve(KEY, key_of("web2"))
    done = reconcile(fake, tmp_path, "--fix", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["agreed"], said["foreign"]) == (0, 0, [])
    (stray,) = said["strays"]
    assert stray.pop("opened_at").endswith("+00:00")
    assert stray == {
        "dedup_key": key_of("web1"),
        "alert": "Load",
        "series": "web1",
        "level": "warning",
        "id": "Q000001",
        "title": "Warning: web1",
        "status": "triggered",
        "service": "Service 1",
        "url": "https://example.pagerduty.com/incidents/Q000001",
    }
    assert [missing["series"] for missing in said["missing"]] == ["web2"]
    assert said["outcomes"] == [
        {"dedup_key": key_of("web1"), "left": False, "reason": "resolved: 202 Event processed"}
    ]  # fmt: skip


def test_a_resolve_that_is_not_accepted_leaves_the_stray(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    leave_stray(store, fake, "web1")
    fake.fail_next(Fault.UNAVAILABLE)
    done = reconcile(fake, tmp_path, "--fix")
    assert done.returncode == 1
    assert "Load: web1 (Warning): not resolved: PagerDuty answered 503" in done.stdout


def test_a_stray_whose_trigger_was_never_seen_accepted_is_left_to_people(
    store: Store, fake: FakePagerDuty, tmp_path: Path
) -> None:
    record(store, triggered("web1", OPS))
    (delivery,) = store.claim(LATER, worker="test", lease=LEASE, limit=100)
    PagerDuty(fake.url).send(delivery.message, delivery.route.address)
    store.mark_dead(delivery.id, "test", LATER, "no answer")
    record(store, resolved("web1"))
    done = reconcile(fake, tmp_path, "--fix")
    assert done.returncode == 1
    assert "not resolved: its routing key is not stored; resolve it by hand in PagerDuty" in done.stdout


def test_what_fires_again_before_its_turn_is_not_resolved(store: Store, tmp_path: Path) -> None:
    def fire_the_other(event: Event) -> None:
        if is_watching and event.action == "resolve":
            other = {key_of("web1"): "web2", key_of("web2"): "web1"}[event.dedup_key]
            record(store, triggered(other, OPS))

    is_watching: list[bool] = []
    with FakePagerDuty(on_event=fire_the_other) as fake:
        leave_stray(store, fake, "web1")
        leave_stray(store, fake, "web2")
        is_watching.append(True)
        done = reconcile(fake, tmp_path, "--fix")
        assert "not resolved: it fires again" in done.stdout
        assert (done.returncode, len(fake.open_incidents())) == (0, 1)


def test_what_fires_again_while_it_is_resolved_is_told_apart(store: Store, tmp_path: Path) -> None:
    def fire_it(event: Event) -> None:
        if is_watching and event.action == "resolve":
            record(store, triggered("web1", OPS))

    is_watching: list[bool] = []
    with FakePagerDuty(on_event=fire_it) as fake:
        leave_stray(store, fake, "web1")
        is_watching.append(True)
        done = reconcile(fake, tmp_path, "--fix")
        assert (done.returncode, "it began to fire in that very moment" in done.stdout) == (1, True)


def test_without_a_token_it_says_where_to_get_one_and_makes_no_database(fake: FakePagerDuty, tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: 'a.b', warning: 8, critical: 12}]\n")
    done = reconcile(fake, tmp_path, PAGERDUTY_API_TOKEN="")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("graphite-pager: PAGERDUTY_API_TOKEN is not set: make a read-only REST API key")
    assert [path.name for path in tmp_path.iterdir()] == ["alerts.yml"]


def test_a_list_that_cannot_be_had_is_one_clear_line(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    leave_stray(store, fake, "web1")
    wrong = reconcile(fake, tmp_path, "--fix", PAGERDUTY_API_TOKEN="u+wr0ngt0ken")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "401 (Authentication failed): the token is wrong, or of another service region" in wrong.stderr
    nowhere = reconcile(fake, tmp_path, "--fix", PAGERDUTY_API_URL="http://127.0.0.1:1")
    assert (nowhere.returncode, nowhere.stdout, nowhere.stderr.count("\n")) == (1, "", 1)
    assert nowhere.stderr.startswith("graphite-pager: 127.0.0.1:1 gave no answer: ")
    assert len(fake.open_incidents()) == 1


def test_a_mistake_of_the_caller_is_2(store: Store, fake: FakePagerDuty, tmp_path: Path) -> None:
    assert reconcile(fake, tmp_path, "--nonsense").returncode == 2


def test_our_keys_begin_as_the_list_is_searched_for() -> None:
    assert key_of("web1").startswith(DEDUP_PREFIX)
