"""Whether the pager itself is well: it polls, Graphite answers, pages leave, alerts.yml is good."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import health
from graphitepager.model import OWN
from graphitepager.records import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from graphitepager.glance import Glance, LastPoll, Notice
    from graphitepager.model import SeriesState
    from graphitepager.rules import Config

# What two of the signs are called.
POLLING, GRAPHITE = "Polling", "Graphite"

# So many heartbeats without a poll are no longer chance.
_MISSED_POLLS = 3
_SHORTEST_PATIENCE = timedelta(seconds=20)
# A page that waits for so long has met more than one failed attempt.
_LONG_WAIT = timedelta(minutes=2)
NOTIFIER_NAMES = {
    "pagerduty": "PagerDuty",
    "slack": "Slack",
    "teams": "Teams",
    "mail": "Mail",
    "stdout": "Standard output",
}


class Condition(enum.Enum):
    """How well a part of the pager is."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


class Vital(NamedTuple):
    """One sign of life: of what, how well it is, in words, since when, and what to do where it is not well."""

    name: str
    condition: Condition
    text: str
    at: datetime | None = None
    advice: str = ""


def stale_after(config: Config) -> timedelta:
    """For how long after a poll the page may still be believed."""
    return max(_MISSED_POLLS * timedelta(seconds=config.settings.heartbeat_s), _SHORTEST_PATIENCE)


def vitals(config: Config, glance: Glance, trouble: str | None, version: str | None) -> list[Vital]:
    """All of them. `trouble` is what is wrong with alerts.yml here, `version` that of the one that is here."""
    return [
        polling(config, glance.poll, glance.at),
        _graphite(glance),
        *_notifiers(config, glance),
        _backlog(glance),
        _file(glance, trouble, version),
    ]


def polling(config: Config, poll: LastPoll | None, now: datetime) -> Vital:
    """Whether somebody polls, by the last complete poll."""
    if poll is None:
        return Vital(POLLING, Condition.BAD, "no pager has polled yet", advice="Start one: graphite-pager run")
    at = poll.finished_at
    if now - at > stale_after(config):
        return Vital(POLLING, Condition.BAD, "stopped: last poll", at, "Is the pager running? Look at its log.")
    return Vital(POLLING, Condition.GOOD, "last poll", at)


def _graphite(glance: Glance) -> Vital:
    state = _own(glance, health.GRAPHITE.series)
    advice = "Levels stay as they were until it answers again."
    if state is not None and state.no_data is not None:
        return Vital(GRAPHITE, Condition.BAD, "no usable answer since", state.no_data_since, advice)
    if glance.poll is None:
        return Vital(GRAPHITE, Condition.DOUBTFUL, "not asked yet")
    if glance.poll.failed:
        failed = glance.poll.failed
        what = f"{failed} {'query' if failed == 1 else 'queries'} without an answer in the last poll"
        return Vital(GRAPHITE, Condition.DOUBTFUL, what, advice=advice)
    return Vital(GRAPHITE, Condition.GOOD, "answered", glance.poll.answered_at)


def _notifiers(config: Config, glance: Glance) -> Iterator[Vital]:
    """PagerDuty always, where anything pages there; the others where they have taken or refused something."""
    failing: dict[str, Notice] = {}
    for incident in glance.incidents:
        for notice in incident.notices:
            is_failing = notice.status is DeliveryStatus.PENDING and notice.attempts
            if is_failing or notice.status is DeliveryStatus.DEAD:
                failing.setdefault(notice.notifier, notice)
    pages = bool(config.settings.pagerduty_key or config.settings.pagerduty_keys)
    for name in sorted({*failing, *glance.accepted, *(["pagerduty"] if pages else [])}):
        title = NOTIFIER_NAMES.get(name, name)
        if name not in failing:
            at = glance.accepted.get(name)
            yield Vital(title, Condition.GOOD, "accepted" if at else "nothing to send so far", at)
            continue
        notice = failing[name]
        if notice.status is DeliveryStatus.DEAD:
            yield Vital(title, Condition.BAD, f"refused for good: {notice.last_error or 'no reason given'}", notice.at)
        else:
            error = notice.last_error or "no reason given"
            yield Vital(title, Condition.BAD, f"does not accept: {error}, since", notice.at, "It is tried again.")


def _backlog(glance: Glance) -> Vital:
    backlog = glance.backlog
    if backlog.unheard:
        what = f"{backlog.unheard} open {'incident' if backlog.unheard == 1 else 'incidents'} that nobody can hear of"
        return Vital("Unsent", Condition.BAD, what, advice="Correct the routing key, and send SIGHUP.")
    if backlog.pending:
        old = backlog.oldest_page is not None and glance.at - backlog.oldest_page > _LONG_WAIT
        condition = Condition.BAD if old else Condition.DOUBTFUL
        return Vital(
            "Unsent", condition, f"{backlog.pending} waiting" + (", since" if old else ""), backlog.oldest_page
        )
    return Vital("Unsent", Condition.GOOD, "nothing waits" + (f", {backlog.dead} refused" if backlog.dead else ""))


def _file(glance: Glance, trouble: str | None, version: str | None) -> Vital:
    state = _own(glance, health.ALERTS_FILE.series)
    if trouble is not None:
        return Vital("alerts.yml", Condition.BAD, trouble, advice="The last good one goes on. graphite-pager verify")
    if state is not None and state.incident is not None:
        what = "no good, the last good one goes on, since"
        return Vital("alerts.yml", Condition.BAD, what, state.incident.since, "graphite-pager verify says why.")
    loaded = glance.config
    if loaded is None:
        return Vital("alerts.yml", Condition.DOUBTFUL, "no pager has kept one yet")
    if version is not None and version != loaded.version:
        what = f"the pager runs by {loaded.version}, this page by {version}"
        return Vital("alerts.yml", Condition.DOUBTFUL, what, advice="Deploy the same file to both.")
    return Vital("alerts.yml", Condition.GOOD, f"version {loaded.version[:8]}, loaded", loaded.kept_at)


def _own(glance: Glance, series: str) -> SeriesState | None:
    return glance.states.get(OWN, {}).get(series)
