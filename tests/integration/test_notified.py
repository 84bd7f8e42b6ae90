"""Real processes that tell Slack beside PagerDuty: who hears of what, once, and nobody waits for anybody else."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.fakes import receivers
from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.receivers import Fault
from tests.integration.pager_place import HIGH, Place
from tests.integration.store_support import KINDS, empty_database
from tests.support import eventually, is_gone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.receivers import Receiver

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with (
        FakeGraphite().serve() as graphite,
        FakePagerDuty() as pagerduty,
        empty_database(request.param, tmp_path) as url,
    ):
        place = Place(graphite, pagerduty, tmp_path, url.render_as_string(hide_password=False))
        place.environment |= {"PAGERDUTY_API_URL": pagerduty.url, "PAGERDUTY_API_TOKEN": pagerduty.api_token}
        yield place
        assert pagerduty.rejected() == ()


@pytest.fixture
def slack() -> Iterator[Receiver]:
    with receivers.slack() as fake:
        yield fake
        assert fake.objections == []


def texts(slack: Receiver) -> list[str]:
    return [body["text"] for body in slack.received]


def test_slack_url_is_told_the_begin_and_the_end_beside_pagerduty(place: Place, slack: Receiver) -> None:
    place.environment["SLACK_URL"] = slack.url
    place.measure(82.4)
    with place.pager() as pager:
        place.wait_for_open(HIGH)
        assert eventually(lambda: texts(slack) == [HIGH])
        place.measure(10)
        place.wait_for_open()
        assert eventually(lambda: len(texts(slack)) == 2)
        assert texts(slack)[1].startswith("RESOLVED Queue: mail is 10, was Critical for ")
        assert "SecretPath" not in pager.output


def test_a_slack_that_hangs_holds_up_no_page(place: Place, slack: Receiver) -> None:
    slack.fault = Fault.HANG
    place.environment["SLACK_URL"] = slack.url
    place.measure(82.4)
    with place.pager():
        place.wait_for_open(HIGH)
        assert eventually(lambda: slack.requests)
        begun = time.monotonic()
        place.measure(10)
        place.wait_for_open()
        assert time.monotonic() - begun < 4
        assert texts(slack) == []


def test_a_channel_that_hangs_holds_up_no_other_channel(place: Place, slack: Receiver) -> None:
    with receivers.slack() as hanging:
        hanging.fault = Fault.HANG
        place.configure(f"""
notifiers:
  web: {{type: slack, url: "{hanging.url}"}}
  ops: {{type: slack, url: "{slack.url}"}}
alerts:
  - {{name: Queue, target: a.b, warning: 50, critical: 70, notify: [web, ops]}}
""")
        place.measure(82.4)
        with place.pager() as pager:
            assert eventually(lambda: hanging.requests)
            begun = time.monotonic()
            assert eventually(lambda: texts(slack) == [HIGH])
            place.measure(10)
            assert eventually(lambda: len(texts(slack)) == 2)
            assert time.monotonic() - begun < 8  # each send would hang for 12
            assert (len(hanging.requests), hanging.received) == (1, [])
            assert "event=sent notifier=slack to=ops action=trigger" in pager.output
            code, took_s = pager.end()
            assert (code, took_s < 1) == (0, True)


def test_a_command_that_runs_at_the_end_is_ended_with_the_pager(place: Place) -> None:
    place.configure("""
notifiers:
  pigeon: {type: exec, command: [sh, -c, "echo $$ > pid.new; mv pid.new pid; sleep 60"]}
alerts:
  - {name: Queue, target: a.b, warning: 50, critical: 70, notify: pigeon}
""")
    place.measure(82.4)
    with place.pager() as pager:
        assert eventually((place.folder / "pid").exists)
        code, took_s = pager.end()
        assert (code, took_s < 1) == (0, True)
    assert eventually(lambda: is_gone(int((place.folder / "pid").read_text())))


def test_what_nobody_acknowledges_is_passed_on_once_over_a_kill(place: Place, slack: Receiver) -> None:
    place.configure(f"""
notifiers:
  pager: {{type: pagerduty, key: {KEY}, escalate: {{after: 1s, to: boss}}}}
  boss: {{type: slack, url: "{slack.url}"}}
routes:
  - notify: pager
alerts:
  - {{name: Queue, target: a.b, warning: 50, critical: 70}}
""")
    place.measure(82.4)
    with place.pager() as first:
        place.wait_for_open(HIGH)
        first.wait_for("event=passed_on")
        first.end(signal.SIGKILL)
    with place.pager() as second:
        second.wait_for("event=poll", times=5)
        assert eventually(lambda: texts(slack) == [HIGH])
        assert "event=passed_on" not in second.output
        place.measure(10)
        place.wait_for_open()
        assert eventually(lambda: len(texts(slack)) == 2)
        assert texts(slack)[1].startswith("RESOLVED")


def test_what_is_acknowledged_in_time_is_not_passed_on(place: Place, slack: Receiver) -> None:
    place.configure(f"""
notifiers:
  pager: {{type: pagerduty, key: {KEY}, escalate: {{after: 3s, to: boss}}}}
  boss: {{type: slack, url: "{slack.url}"}}
alerts:
  - {{name: Queue, target: a.b, warning: 50, critical: 70, notify: pager}}
""")
    place.measure(82.4)
    with place.pager() as pager:
        [incident] = place.wait_for_open(HIGH)
        place.pagerduty.acknowledge(KEY, incident.dedup_key)
        polls = pager.output.count("event=poll ")
        pager.wait_for("event=poll ", times=polls + 14)
        assert "event=passed_on" not in pager.output
    assert texts(slack) == []


def test_a_refused_page_goes_to_the_fallback_at_once(place: Place, slack: Receiver) -> None:
    with receivers.slack() as gone:
        gone.fault = Fault.FORBIDDEN
        place.configure(f"""
notifiers:
  ops: {{type: slack, url: "{gone.url}", fallback: others}}
  others: {{type: slack, url: "{slack.url}"}}
alerts:
  - {{name: Queue, target: a.b, warning: 50, critical: 70, notify: ops}}
""")
        place.measure(82.4)
        with place.pager() as pager:
            assert eventually(lambda: texts(slack) == [HIGH])
            assert 'to=others reason="ops refused it"' in pager.output
