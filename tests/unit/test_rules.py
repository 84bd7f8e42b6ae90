"""Routes: who is told by label, level and time; and what a file may say of passing on."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from graphitepager import health
from graphitepager.model import Event, EventKind
from graphitepager.routing import digests, passed_on, routes_for
from graphitepager.rules import Config, Handling, Level, MuteWindow, Route, Rule
from tests.examples import KEY, NOON, PAGERDUTY_KEY, alert, entry, settings
from tests.unit.config_support import ENVIRON, alert_with, file_with, headlines, load

if TYPE_CHECKING:
    from graphitepager.rules import Entry

DBA, WEB, NIGHT = Route("slack", "dba"), Route("slack", "web"), Route("slack", "night")
NAMED = {"dba": DBA, "web": WEB, "night": NIGHT}
WINDOW = MuteWindow(
    text="nights",
    days=frozenset(range(7)),
    begins=time(22),
    ends=time(6),
    zone=ZoneInfo("UTC"),
    levels=frozenset(Level),
)
RULES = (
    Rule(notify=("night",), windows=(WINDOW,)),
    Rule(notify=("dba",), labels={"team": "db*"}, levels=frozenset({Level.CRITICAL})),
    Rule(notify=("web", "dba"), labels={"team": "web", "env": "prod"}),
)


def routes(
    level: Level, one: Entry, at: datetime = NOON, told_at: datetime | None = None, **other: Any
) -> tuple[Route, ...]:
    event = Event(kind=EventKind.TRIGGERED, key=KEY, level=level, at=at, since=at, value=82.4, entry=one)
    given = settings(pagerduty_key=PAGERDUTY_KEY, notifiers=NAMED, rules=other.pop("rules", RULES), **other)
    return routes_for(event, Config(settings=given, alerts=(alert(one),)), told_at)


DEFAULT = (Route("pagerduty", PAGERDUTY_KEY),)


@pytest.mark.parametrize(
    ("level", "labels", "told"),
    [
        (Level.CRITICAL, {"team": "dba"}, (DBA,)),
        (Level.WARNING, {"team": "dba"}, DEFAULT),
        (Level.WARNING, {"team": "web", "env": "prod"}, (WEB, DBA)),
        (Level.WARNING, {"team": "web", "env": "test"}, DEFAULT),
        (Level.CRITICAL, {}, DEFAULT),
    ],
)
def test_the_first_route_whose_conditions_all_fit_says_who_is_told(
    level: Level, labels: dict[str, str], told: tuple[Route, ...]
) -> None:
    assert routes(level, entry(labels=labels)) == told


def test_a_route_goes_by_the_time_at_which_an_incident_was_told_first() -> None:
    night = NOON.replace(hour=23)
    assert routes(Level.CRITICAL, entry(labels={"team": "dba"}), at=night) == (NIGHT,)
    assert routes(Level.CRITICAL, entry(labels={"team": "dba"}), at=night, told_at=NOON) == (DBA,)


def test_labels_are_filled_in_before_they_are_compared() -> None:
    assert routes(Level.CRITICAL, entry(labels={"team": "{{ series[:2] }}a"})) == (DBA,)


def test_an_alert_that_says_itself_who_is_told_has_no_use_for_routes() -> None:
    labels = {"team": "dba"}
    assert routes(Level.CRITICAL, entry(labels=labels, notify={Level.CRITICAL: ("web",)})) == (WEB,)
    assert routes(Level.CRITICAL, entry(labels=labels, pagerduty_key="2" * 32)) == (Route("pagerduty", "2" * 32),)
    assert routes(Level.CRITICAL, entry(labels=labels, page_on=frozenset({Level.WARNING}))) == ()


def test_the_pagers_own_trouble_goes_where_a_route_without_labels_says() -> None:
    own = health.own_alert(settings()).entries[0]
    assert routes(Level.NO_DATA, own) == DEFAULT
    assert routes(Level.NO_DATA, own, rules=(Rule(notify=("web",)),)) == (WEB,)


def test_what_a_route_is_passed_on_to_is_no_stray() -> None:
    handling = {DBA: Handling(name="dba", fallback=WEB), WEB: Handling(name="web", escalate_to=NIGHT, fallback=DBA)}
    assert passed_on([DBA], settings(handling=handling)) == {DBA, WEB, NIGHT}
    assert passed_on([NIGHT], settings(handling=handling)) == {NIGHT}


def test_only_warnings_are_collected() -> None:
    given = settings(handling={DBA: Handling(name="dba", digest=timedelta(hours=1))})
    assert digests([DBA, WEB], Level.WARNING, given) == {DBA: timedelta(hours=1)}
    assert digests([DBA, WEB], Level.CRITICAL, given) == {}


class TestFile:
    """What alerts.yml says of it, with line and column."""

    names = "notifiers: {dba: {type: stdout}, web: {type: slack, url: https://hooks.slack.com/x%s}}\n"

    def said(self, top: str, further: str = "") -> list[str]:
        text = file_with(alert_with("notify: [dba, web]"), top=f"{top}\n{self.names % further}")
        return headlines(text)

    def test_a_route_means_what_it_says(self) -> None:
        top = "routes: [{labels: {team: d*}, levels: critical, when: {days: sat-sun}, notify: dba}]"
        text = file_with(alert_with("labels: {team: dba}"), top=f"{top}\n{self.names % ', digest: 1h, fallback: dba'}")
        config = load(text, ENVIRON, source="alerts.yml", strict=True).config
        assert config is not None
        [rule] = config.settings.rules
        assert (rule.notify, rule.labels, rule.levels) == (("dba",), {"team": "d*"}, frozenset({Level.CRITICAL}))
        assert rule.windows[0].days == {5, 6}
        slack = Route("slack", "https://hooks.slack.com/x")
        expected = Handling(name="web", fallback=Route("stdout", ""), digest=timedelta(hours=1))
        assert config.settings.handling == {slack: expected}

    @pytest.mark.parametrize(
        ("top", "complaint"),
        [
            ("routes: [{notify: dab}]", "alerts.yml:1:19: routes.notify: no notifier is called 'dab' (did you mean"),
            ("routes: [{labels: {a: b}}]", "alerts.yml:1:10: routes: notify is missing (a route says notify, and a"),
            ("routes: [{notify: dba, when: nights}]", "no mute window is called 'nights'"),
            ("routes: [{notify: dba, level: critical}]", "unknown key 'level' (did you mean levels?)"),
            ("routes: [{notify: dba, labels: {a: '[x'}}]", "routes.labels.a: [ has no end"),
            ("routes: [{notify: dba, levels: ok}]", "expected warning, critical or no_data, got 'ok'"),
        ],
    )  # fmt: skip
    def test_a_route_that_cannot_be_says_why(self, top: str, complaint: str) -> None:
        [headline] = self.said(top)
        assert complaint in headline

    @pytest.mark.parametrize(
        ("further", "complaint"),
        [
            (", fallback: dab", "notifiers.web.fallback: no notifier is called 'dab' (did you mean dba?)"),
            (", fallback: web", "notifiers.web.fallback: expected another notifier than itself"),
            (", escalate: {after: 5min, to: web}", "notifiers.web.escalate.to: expected another notifier than itself"),
            (", escalate: {after: 5min}", "notifiers.web.escalate: to is missing (write {after: 15min, to: boss}"),
            (", escalate: {after: 0, to: dba}", "expected a duration of more than 0"),
            (", escalate: {to: dba, afer: 1h, after: 1h}", "unknown key 'afer' (did you mean after?)"),
            (", digest: 1s", "notifiers.web.digest: expected between 1min and 1d, got 1s"),
        ],
    )
    def test_a_notifier_that_cannot_be_passed_on_says_why(self, further: str, complaint: str) -> None:
        [headline] = self.said("", further)
        assert complaint in headline

    def test_escalating_from_pagerduty_without_a_token_is_a_warning_and_a_digest_there_an_error(self) -> None:
        pager = f"{{type: pagerduty, key: {PAGERDUTY_KEY}, escalate: {{after: 5min, to: web}}}}"
        said = "\n".join(self.said("", f"}}, pager: {pager}, p: {{type: stdout"))
        assert "warning: notifiers.pager.escalate: nobody can ask who has acknowledged" in said
        pager = f"{{type: pagerduty, key: {PAGERDUTY_KEY}, digest: 1h}}"
        said = "\n".join(self.said("", f"}}, pager: {pager}, p: {{type: stdout"))
        assert "notifiers.pager.digest: PagerDuty is told of each" in said

    def test_two_names_of_one_place_cannot_be_handled_differently(self) -> None:
        same = "}, again: {type: slack, url: https://hooks.slack.com/x"
        assert not any("same place" in line for line in self.said("", same))
        said = "\n".join(self.said("", f", digest: 1h{same}"))
        assert "notifiers.again: the same place as web, which has other fallback, escalate or digest" in said
