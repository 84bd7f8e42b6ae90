"""From what alerts.yml says to what it means: the schema's values become the domain's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from graphitepager.durations import parse_offset
from graphitepager.model import Alert, Config, Entry, Level, NoDataPolicy, Operator, Query, Settings, Threshold

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphitepager.config.schema import AlertEntry, AlertsFile


def build_config(file: AlertsFile, line_of: Callable[[int], int]) -> Config:
    """The configuration of a valid file, whose url is set; `line_of` knows where the n-th entry stands."""
    entries: dict[str, list[Entry]] = {}
    for index, alert in enumerate(file.alerts):
        entries.setdefault(alert.name, []).append(_entry(alert, file, line_of(index)))
    alerts = tuple(Alert(name=name, entries=tuple(parts)) for name, parts in entries.items())
    return Config(settings=_settings(file), alerts=alerts)


def unheard_levels(alert: AlertEntry, file: AlertsFile) -> tuple[str, ...]:
    """The levels at which the alert should page, and no notifier would hear it."""
    if file.stdout_enabled or alert.pagerduty_key or file.pagerduty_key:
        return ()
    page_on = file.page_on if alert.page_on is None else alert.page_on
    return tuple(level for level in page_on if getattr(file.pagerduty, level) is None)


def _settings(file: AlertsFile) -> Settings:
    url, user, password = _split_credentials(file.graphite_url or "")
    keys = {
        Level.OK: file.pagerduty.nominal,
        Level.WARNING: file.pagerduty.warning,
        Level.CRITICAL: file.pagerduty.critical,
        Level.NO_DATA: file.pagerduty.no_data,
    }
    return Settings(
        graphite_url=url,
        graphite_user=file.graphite_user or user,
        graphite_pass=file.graphite_pass or password,
        graphite_connect_timeout_s=file.graphite_connect_timeout_s,
        graphite_read_timeout_s=file.graphite_read_timeout_s,
        graphite_concurrency=file.graphite_concurrency,
        heartbeat_s=file.heartbeat_seconds,
        database_url=file.database_url or None,
        pagerduty_key=file.pagerduty_key,
        pagerduty_keys={level: key for level, key in keys.items() if key},
        pagerduty_events_url=file.pagerduty_events_url,
        stdout_enabled=file.stdout_enabled,
        verbose=file.verbose_init or file.verbose_url or file.verbose_resp or file.no_data_counter_verbose,
    )


def _split_credentials(url: str) -> tuple[str, str | None, str | None]:
    """Take `user:password@` out of a URL, so that the URL can be logged and linked to."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return urlunsplit(parts._replace(netloc=address)), user, password


def _entry(alert: AlertEntry, file: AlertsFile, line: int) -> Entry:
    # Lower is worse exactly when warning lies above critical; where they are equal, higher is, and critical wins.
    operator = Operator.AT_MOST if alert.warning > alert.critical else Operator.AT_LEAST
    return Entry(
        query=Query(alert.target, alert.from_, alert.until),
        warning=Threshold(operator=operator, bound=alert.warning),
        critical=Threshold(operator=operator, bound=alert.critical),
        line=line,
        exclude=frozenset(alert.exclude),
        no_data=NoDataPolicy.OK if alert.allow_no_data else NoDataPolicy.ALERT,
        no_data_for=_no_data_for(alert, file),
        page_on=frozenset(Level(level) for level in (file.page_on if alert.page_on is None else alert.page_on)),
        runbook_base=alert.doc_url or file.docs_url or None,
        pagerduty_key=alert.pagerduty_key,
    )


def _no_data_for(alert: AlertEntry, file: AlertsFile) -> timedelta:
    """So many polls, but never less than the window reaches back: what is in it was always judged, however old."""
    polls = timedelta(seconds=file.no_data_notification_threshold * file.heartbeat_seconds)
    # Graphite takes the earlier of the two as the beginning, whatever they are called.
    offsets = (parse_offset(alert.from_), parse_offset(alert.until or "now"))
    return max(polls, *(-offset for offset in offsets if offset is not None))
