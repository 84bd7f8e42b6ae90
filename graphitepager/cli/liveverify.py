"""`graphite-pager verify --live`: what Graphite, and the pages of the runbooks, say against alerts.yml."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from graphitepager import checks, livechecks, messages, sources, webpages
from graphitepager.errors import FetchError
from graphitepager.graphite import Fetcher
from graphitepager.livechecks import Finding
from graphitepager.model import Event, EventKind, SeriesKey
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphitepager.config import Loaded
    from graphitepager.problems import Problem
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Config, Query

    Answers = Mapping[Query, RawAnswer | FetchError]

# A week of many series takes Graphite longer than a poll may.
_WEEK_TIMEOUT_S = 60.0


def problems_of(config: Config, loaded: Loaded) -> tuple[Problem, ...]:
    """Ask Graphite for every target, now and over the last week, and for every runbook."""
    now = datetime.now(UTC)
    answers = _ask(config, checks.queries_of(config.alerts), config.settings.heartbeat_s)
    findings = [finding for alert in config.alerts for finding in livechecks.of_now(alert, answers, now)]
    answered = [alert for alert in config.alerts if not _failed(alert, answers)]
    for alert in answered:  # one after the other, because a week may be large
        asking = replace(alert, entries=tuple(map(livechecks.looking_back, alert.entries)))
        week = _ask(config, checks.queries_of([asking]), _WEEK_TIMEOUT_S)
        findings += livechecks.of_week(alert, week, now)
    findings += _of_runbooks(answered, answers, config, now)
    return loaded.pointer.present(
        loaded.pointer.problem(one.alert, one.entry, one.keys, one.message, one.hint, is_error=one.is_error)
        for one in findings
    )


def _ask(config: Config, queries: Iterable[Query], deadline_s: float) -> Answers:
    patient = replace(config.settings, graphite_read_timeout_s=max(deadline_s, config.settings.graphite_read_timeout_s))
    with contextlib.closing(Fetcher(patient)) as fetcher:
        return dict(fetcher.fetch(queries, deadline_s=deadline_s, stop=threading.Event()))


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
