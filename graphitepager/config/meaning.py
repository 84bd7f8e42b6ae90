"""From what alerts.yml says to what it means: the schema's values become the domain's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from graphitepager.config.bounds import bounds_of
from graphitepager.config.muting import mute_window
from graphitepager.config.sourcing import compare_of, query_of, ratio_of, shortest_window
from graphitepager.durations import format_duration, parse_offset
from graphitepager.rules import (
    Alert,
    Config,
    Entry,
    Handling,
    Judged,
    Level,
    NoDataPolicy,
    OnVanish,
    Query,
    Rule,
    Settings,
)
from graphitepager.selection import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from graphitepager.config.muting import MuteKeys
    from graphitepager.config.notifying import RuleKeys
    from graphitepager.config.schema import AlertEntry, AlertsFile, PagerdutyKeys, SlackKeys
    from graphitepager.rules import MuteWindow, Route

_STORM_LIMIT = 20
_AT_ONCE = timedelta(0)
_DAY = timedelta(days=1)
# Points that come once in some minutes are seen only by a window that reaches back a little further.
_MOST_MARGIN = timedelta(minutes=5)


def build_config(
    file: AlertsFile,
    line_of: Callable[[int], int],
    variables_of: Callable[[int], Mapping[str, str]],
    borrowed: Iterable[str] = (),
) -> Config:
    """The configuration of a valid file, whose url is set.

    `line_of` knows where the n-th entry stands, `variables_of` the values of its `for_each`. `borrowed` are the secrets
    that the file has from the environment by `${…}`.
    """
    entries: dict[str, list[Entry]] = {}
    for index, alert in enumerate(file.alerts):
        entries.setdefault(alert.name, []).append(_entry(alert, file, line_of(index), variables_of(index)))
    limits = {alert.name: alert.storm_limit for alert in reversed(file.alerts) if alert.storm_limit is not None}
    alerts = tuple(
        Alert(
            name=name,
            entries=tuple(parts),
            storm_limit=limits.get(name, _STORM_LIMIT),
            interval=file.intervals.get(name, _AT_ONCE),
        )
        for name, parts in entries.items()
    )
    return Config(settings=_settings(file, borrowed), alerts=alerts)


def unheard_levels(alert: AlertEntry, file: AlertsFile) -> tuple[str, ...]:
    """The levels at which the alert should page, and no notifier would hear it."""
    if file.stdout_enabled or alert.pagerduty_key or file.pagerduty_key or alert.slack_url or file.slack_url:
        return ()
    page_on = file.page_on if alert.page_on is None else alert.page_on
    notified = {*alert.notify.by_level(), *(Level(level) for rule in file.routes for level in rule.levels)}
    defaults = (file.pagerduty, file.slack)
    return tuple(
        level
        for level in page_on
        if Level(level) not in notified and not any(getattr(keys, level) for keys in defaults)
    )


def _settings(file: AlertsFile, borrowed: Iterable[str]) -> Settings:
    url, user, password = _split_credentials(file.graphite_url or "")
    return Settings(
        graphite_url=url,
        docs_url=file.docs_url or None,
        graphite_user=file.graphite_user or user,
        graphite_pass=file.graphite_pass or password,
        graphite_connect_timeout_s=file.graphite_connect_timeout_s,
        graphite_read_timeout_s=file.graphite_read_timeout_s,
        graphite_concurrency=file.graphite_concurrency,
        heartbeat_s=file.heartbeat_seconds,
        no_data_for=_polls(file),
        database_url=file.database_url or None,
        keep_history=file.keep_history,
        pagerduty_key=file.pagerduty_key,
        pagerduty_keys=_by_level(file.pagerduty),
        slack_url=file.slack_url,
        slack_urls=_by_level(file.slack),
        notifiers={name: keys.as_route() for name, keys in file.notifiers.items()},
        handling=_handling(file),
        rules=tuple(_rule(rule, file) for rule in file.routes),
        notifier_secrets=(*borrowed, *(secret for keys in file.notifiers.values() for secret in keys.secrets())),
        pagerduty_events_url=file.pagerduty_events_url,
        pagerduty_api_url=file.pagerduty_api_url,
        pagerduty_api_token=file.pagerduty_api_token,
        heartbeat_ping_url=file.heartbeat_ping_url,
        stdout_enabled=file.stdout_enabled,
        web=file.as_web_settings(),
        carbon=file.as_carbon_place(),
        verbose=file.verbose_init or file.verbose_url or file.verbose_resp or file.no_data_counter_verbose,
    )


def _handling(file: AlertsFile) -> dict[Route, Handling]:
    routes = {name: keys.as_route() for name, keys in file.notifiers.items()}
    return {
        routes[name]: Handling(
            name=name,
            fallback=routes.get(keys.fallback or ""),
            escalate_to=routes.get(keys.escalate.to) if keys.escalate else None,
            escalate_after=keys.escalate.after if keys.escalate else _AT_ONCE,
            digest=keys.digest,
        )
        for name, keys in file.notifiers.items()
        if keys.fallback or keys.escalate or keys.digest
    }


def twins_at_odds(file: AlertsFile) -> Iterator[tuple[str, str]]:
    """Yield each notifier that is at the place of an earlier one, and is to be handled in another way; and that one."""
    first: dict[Route, str] = {}
    for name, keys in file.notifiers.items():
        twin = first.setdefault(keys.as_route(), name)
        other = file.notifiers[twin]
        if (keys.fallback, keys.escalate, keys.digest) != (other.fallback, other.escalate, other.digest):
            yield name, twin


def _rule(rule: RuleKeys, file: AlertsFile) -> Rule:
    return Rule(
        notify=rule.notify,
        labels=rule.labels,
        levels=frozenset(Level(level) for level in rule.levels),
        windows=_windows(rule.when, file),
    )


def _by_level(keys: PagerdutyKeys | SlackKeys) -> dict[Level, str]:
    """Where each level is told that has a place of its own."""
    places = {
        Level.OK: keys.nominal,
        Level.WARNING: keys.warning,
        Level.CRITICAL: keys.critical,
        Level.NO_DATA: keys.no_data,
    }
    return {level: place for level, place in places.items() if place}


def _split_credentials(url: str) -> tuple[str, str | None, str | None]:
    """Take `user:password@` out of a URL, so that the URL can be logged and linked to."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return urlunsplit(parts._replace(netloc=address)), user, password


def _entry(alert: AlertEntry, file: AlertsFile, line: int, variables: Mapping[str, str]) -> Entry:
    bounds = bounds_of(alert)
    query = _query(alert)
    return Entry(
        query=query,
        warning=bounds.warning,
        critical=bounds.critical,
        line=line,
        judged=alert.value,
        include=names(alert.include) if alert.include else None,
        exclude=names(alert.exclude),
        expect_series=None if alert.expect_series is None else alert.expect_series.expected,
        for_warning=alert.for_.warning,
        for_critical=alert.for_.critical,
        keep_firing_for=alert.keep_firing_for,
        no_data=_no_data(alert),
        no_data_for=_no_data_for(alert, file),
        on_vanish=alert.on_vanish,
        vanish_after=alert.vanish_after,
        forget_after=_forget_after(alert, file),
        repeat_interval=alert.repeat_interval,
        mute=_windows(alert.mute, file),
        depends_on=frozenset(alert.depends_on),
        page_on=frozenset(Level(level) for level in (file.page_on if alert.page_on is None else alert.page_on)),
        runbook_base=alert.doc_url or file.docs_url or None,
        pagerduty_key=alert.pagerduty_key,
        slack_url=alert.slack_url,
        variables=variables,
        ratio=ratio_of(alert, query),
        compare=compare_of(alert, query),
        summary=alert.summary,
        description=alert.description,
        labels=alert.labels,
        runbook=alert.runbook,
        severity=alert.severity.by_level(),
        notify=alert.notify.by_level(),
    )


def _windows(written: Iterable[str | MuteKeys], file: AlertsFile) -> tuple[MuteWindow, ...]:
    return tuple(
        mute_window(file.mute_windows[window], file.timezone, window)
        if isinstance(window, str)
        else mute_window(window, file.timezone)
        for window in written
        if not isinstance(window, str) or window in file.mute_windows  # else references.py complains
    )


def _query(alert: AlertEntry) -> Query:
    """What is fetched: the window, shifted by `delay`, and wide enough for a run of breaches as long as `for`."""
    begin, end = parse_offset(alert.from_), parse_offset(alert.until or "now")
    if begin is None or end is None:  # where Graphite knows the time, we do not know the length
        return query_of(alert, alert.from_, alert.until)
    # Graphite takes the earlier of the two as the beginning, whatever they are called.
    from_, until = (alert.from_, alert.until) if begin < end else (alert.until or "now", alert.from_)
    if alert.delay:
        from_, until = _seconds(min(begin, end) - alert.delay), _seconds(max(begin, end) - alert.delay)
    longest = max(alert.for_.warning, alert.for_.critical)
    span = max(abs(end - begin), shortest_window(alert))
    wider = max(span, longest + min(span, _MOST_MARGIN))
    # What is folded would change with the window.
    if not longest or alert.value is not Judged.LAST or wider == span:
        return query_of(alert, from_, until) if alert.delay else query_of(alert, alert.from_, alert.until)
    return query_of(alert, _seconds(max(begin, end) - alert.delay - wider), until)


def _seconds(offset: timedelta) -> str:
    return f"{offset // timedelta(seconds=1):+d}s"


def _no_data(alert: AlertEntry) -> NoDataPolicy:
    if alert.no_data is not None:
        return alert.no_data
    return NoDataPolicy.OK if alert.allow_no_data else NoDataPolicy.ALERT


def _polls(file: AlertsFile) -> timedelta:
    return timedelta(seconds=file.no_data_notification_threshold * file.heartbeat_seconds)


def _no_data_for(alert: AlertEntry, file: AlertsFile) -> timedelta:
    """So many polls, but never less than the window reaches back: what is in it was always judged, however old."""
    if alert.no_data_for is not None:
        return alert.no_data_for
    offsets = (parse_offset(alert.from_), parse_offset(alert.until or "now"))
    reach = (alert.delay - offset for offset in offsets if offset is not None)
    interval = file.intervals.get(alert.name)
    # A little more than the interval, so that no single check finds it missing.
    checks = timedelta(0) if interval is None else interval + timedelta(seconds=file.heartbeat_seconds)
    return max(max(_polls(file), checks, shortest_window(alert)) + alert.delay, *reach)


def _forget_after(alert: AlertEntry, file: AlertsFile) -> timedelta:
    """A day, and where something is to happen later than that, a day after it."""
    if alert.forget_after is not None:
        return alert.forget_after
    latest = max(_no_data_for(alert, file), alert.vanish_after if alert.on_vanish is OnVanish.RESOLVE else timedelta(0))
    return _DAY if latest < _DAY else latest + _DAY


def forgotten_before_missed(alert: AlertEntry, file: AlertsFile) -> str | None:
    """Why the alert's own `forget_after` is too short, if it is."""
    if alert.forget_after is None:
        return None
    waits = [("vanish_after", alert.vanish_after)] if alert.on_vanish is OnVanish.RESOLVE else []
    if _no_data(alert) is NoDataPolicy.ALERT and alert.on_vanish is not OnVanish.RESOLVE:
        waits.append(("no_data_for", _no_data_for(alert, file)))
    for key, wait in waits:
        if alert.forget_after <= wait:
            return f"expected more than {key}, which is {format_duration(wait)}: a series would be forgotten before"
    return None
