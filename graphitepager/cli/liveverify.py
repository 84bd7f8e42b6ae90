"""`graphite-pager verify --live`: what Graphite, and the pages of the runbooks, say against alerts.yml."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from graphitepager import checks, livechecks, messages, sources, webpages
from graphitepager.cli import asking
from graphitepager.errors import FetchError
from graphitepager.livechecks import Finding
from graphitepager.model import Event, EventKind, SeriesKey
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.cli.asking import Answers
    from graphitepager.config import Loaded
    from graphitepager.problems import Problem
    from graphitepager.rules import Alert, Config

# A week of many series takes Graphite longer than a poll may.
_WEEK_TIMEOUT_S = 60.0


def problems_of(config: Config, loaded: Loaded) -> tuple[Problem, ...]:
    """Ask Graphite for every target, now and over the last week, and for every runbook."""
    now = datetime.now(UTC)
    answers = asking.ask(config.settings, config.alerts)
    findings = [finding for alert in config.alerts for finding in livechecks.of_now(alert, answers, now)]
    answered = [alert for alert in config.alerts if not _failed(alert, answers)]
    patient = replace(config.settings, graphite_read_timeout_s=_WEEK_TIMEOUT_S, heartbeat_s=_WEEK_TIMEOUT_S)
    for alert in answered:  # one after the other, because a week may be large
        looking_back = replace(alert, entries=tuple(map(livechecks.looking_back, alert.entries)))
        findings += livechecks.of_week(alert, asking.ask(patient, [looking_back]), now)
    findings += _of_runbooks(answered, answers, config, now)
    return loaded.pointer.present(
        loaded.pointer.problem(one.alert, one.entry, one.keys, one.message, one.hint, is_error=one.is_error)
        for one in findings
    )


def _failed(alert: Alert, answers: Answers) -> bool:
    return any(isinstance(answers[query], FetchError) for query in checks.queries_of([alert]))


def _of_runbooks(alerts: Iterable[Alert], answers: Answers, config: Config, now: datetime) -> Iterator[Finding]:
    links = [
        (alert.name, number, url)
        for alert in alerts
        for number, url in _runbooks(alert, answers, config.settings.graphite_url, now)
    ]
    silent = webpages.unanswered(url for _, _, url in links)
    told: set[str] = set()
    for name, number, url in links:
        if url in silent and url not in told:
            told.add(url)
            keys = ("runbook", "doc_url")
            yield Finding(name, number, keys, f"the runbook {url} cannot be read: {silent[url]}", None)


def _runbooks(alert: Alert, answers: Answers, graphite_url: str, now: datetime) -> Iterator[tuple[int, str]]:
    """The page of each entry's runbook, as a trigger of its first series would link to it."""
    for number, entry in enumerate(alert.entries):
        sourced = sources.series_of(entry, answers, now)
        names = [] if isinstance(sourced, FetchError) else sorted(sourced.answer.roll.claim(entry).own)
        level = Level.WARNING if entry.critical is None else Level.CRITICAL
        key = SeriesKey(alert.name, names[0] if names else "series")
        event = Event(kind=EventKind.TRIGGERED, key=key, level=level, at=now, since=now, entry=entry)
        for link in messages.render(event, graphite_url).links:
            if link.text == "Runbook":
                yield number, urldefrag(link.href).url
