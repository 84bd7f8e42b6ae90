"""Why a series paged, or why not, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager import checks, distances, storms
from graphitepager.durations import format_duration
from graphitepager.messages import value_in_words
from graphitepager.model import OWN, EventKind
from graphitepager.printable import printable
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Level, NoDataPolicy, OnVanish
from graphitepager.thresholds import phrase

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from graphitepager.checks import Evaluation
    from graphitepager.model import NearMiss, Reading, SeriesKey, SeriesState
    from graphitepager.records import DeliveryStory, IncidentStory
    from graphitepager.rules import Alert, Entry

# So many heartbeats without a poll are no longer chance.
_MISSED_POLLS = 3

_WORST_FIRST = (Level.CRITICAL, Level.NO_DATA, Level.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of a series at the moment `at`, which may be past.

    `alert` is None where alerts.yml holds it no more. `entry` owns the series, or would if it were there. `evaluation`
    and `reading` are what Graphite says; `failure` is why it says nothing. `rivals` are the entries that return the
    series, too, and come later. `state` is what the pager remembers now, None of a moment that is past. `hold` is
    what would hold back a trigger. `is_known` says that the series was seen before, `similar` are names much like its
    own. `incidents` and `near_misses` are those of the day before, in order. `remembered_since` is the oldest moment of
    which the database knows anything.
    """

    key: SeriesKey
    at: datetime
    is_past: bool
    heartbeat: timedelta
    alert: Alert | None
    entry: Entry | None
    evaluation: Evaluation | None = None
    reading: Reading | None = None
    failure: str | None = None
    rivals: Sequence[Entry] = ()
    state: SeriesState | None = None
    hold: str | None = None
    is_known: bool = False
    similar: Sequence[str] = ()
    last_poll: datetime | None = None
    remembered_since: datetime | None = None
    incidents: Sequence[IncidentStory] = ()
    near_misses: Sequence[NearMiss] = ()

    @property
    def open_incident(self) -> IncidentStory | None:
        """The worst of those of the series that were open at the moment."""
        is_whole = not self.key.is_series
        found = [
            one
            for one in self.incidents
            if one.is_open_at(self.at) and (one.key == self.key or (is_whole and not one.key.is_series))
        ]
        return min(found, key=lambda one: _WORST_FIRST.index(one.level), default=None)

    @property
    def is_unknown(self) -> bool:
        """Whether neither Graphite nor the database has ever heard of a series of this name."""
        one, name = self.evaluation, self.key.series
        return (
            one is not None
            and self.key.is_series
            and not (self.reading or self.is_known or self.incidents)
            and name not in one.excluded | one.left_out | one.unreadable
        )


def verdict(facts: Facts) -> str:
    """The one sentence, for the first of all possible reasons that applies."""
    reasons = filter(None, (reason_of(facts) for reason_of in _REASONS))
    return next(reasons, "It does not page: nothing is known of it.")


def clock(moment: datetime, near: datetime) -> str:
    """A time of the day, with the day where that is another one."""
    return f"{moment:%H:%M:%S}" if moment.date() == near.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def _of_open_incident(facts: Facts) -> str | None:
    incident = facts.open_incident
    return None if incident is None else _of_incident(incident, facts)


def _of_incident(incident: IncidentStory, facts: Facts) -> str:
    level, since = incident.level.label, clock(incident.opened_at, facts.at)
    triggers = [one for one in incident.deliveries if one.kind is EventKind.TRIGGERED]
    if incident.held_by == storms.HELD_BY:
        storm = next((one for one in facts.incidents if not one.key.is_series and one.is_open_at(facts.at)), None)
        told = f" That one: {_of_incident(storm, facts)}" if storm and not storm.held_by else ""
        return f"It did not page by itself: too many series of the alert fire, and one incident speaks for all.{told}"
    if incident.held_by:
        return f"It did not page: it is {level} since {since}, and held back by {printable(incident.held_by)}."
    if not triggers:
        return f"It did not page: it is {level} since {since}, and {_why_nobody(incident.level, facts.entry)}."
    best = min(triggers, key=lambda one: _BEST_FIRST.index(one.status))
    return _of_delivery(best, level, facts)


_BEST_FIRST = (DeliveryStatus.SENT, DeliveryStatus.PENDING, DeliveryStatus.DEAD, DeliveryStatus.CANCELLED)


def _of_delivery(one: DeliveryStory, level: str, facts: Facts) -> str:
    when = clock(one.finished_at or one.created_at, facts.at)
    error = printable(one.last_error or "no reason was given")
    if one.status is DeliveryStatus.SENT:
        tries = f", after {one.attempts} failed attempts" if one.attempts else ""
        answer = printable(one.answer or "no words")
        return f"It paged: {one.notifier} accepted the {level} page at {when}{tries} ({answer})."
    if one.status is DeliveryStatus.DEAD:
        return f"It did not page: {one.notifier} refused its {level} page for good at {when} ({error})."
    if one.status is DeliveryStatus.CANCELLED:
        return f"It did not page: it was over before its {level} page could be sent."
    silent = _silent_since(facts)
    nobody = f"; but {silent}" if silent else ""
    if not one.attempts:
        return f"It has not paged yet: its {level} page waits since {when} to be sent to {one.notifier}{nobody}."
    again = f", the next is due at {clock(one.next_attempt_at, facts.at)}"
    return (
        f"It has not paged yet: {one.notifier} has not accepted its {level} page in {one.attempts} attempts"
        f"{nobody or again} ({error})."
    )


def _silent_since(facts: Facts) -> str | None:
    """That no pager polls, where that is so now."""
    last, interval = facts.last_poll, facts.alert.interval if facts.alert else facts.heartbeat
    if facts.is_past or (last and facts.at - last <= _MISSED_POLLS * max(facts.heartbeat, interval)):
        return None
    return "no pager has polled yet" if last is None else f"no pager has polled since {clock(last, facts.at)}"


def _why_nobody(level: Level, entry: Entry | None) -> str:
    if entry is not None and level not in entry.page_on:
        return f"page_on leaves {level.value} out"
    if entry is not None and level in entry.notify:
        return f"notify names nobody for {level.value}"
    return f"nobody is told, for want of a routing key for {level.value}"


def _of_removed(facts: Facts) -> str | None:
    if facts.alert is not None:
        return None
    return f"It does not page: alerts.yml holds no alert of this name any more.{_last(facts)}"


def _of_failure(facts: Facts) -> str | None:
    if facts.failure is None:
        return None
    return (
        f"Nothing is known: Graphite gives no usable answer ({facts.failure}), and until it does, all stays as it is."
    )


def _not_judged(facts: Facts) -> str | None:
    """Why the series is not judged at all, whatever its value."""
    one, name = facts.evaluation, facts.key.series
    if facts.is_unknown:
        hint = f" (did you mean {', '.join(map(printable, facts.similar))}?)" if facts.similar else ""
        return f"It does not page: Graphite returns no series of this name for the alert{hint}."
    if one is None:
        return None
    named = (
        (one.excluded, "exclude leaves it out"),
        (one.left_out, "no entry's include takes it"),
        (one.unreadable, "its points are no numbers, and it keeps the state that it had"),
    )
    return next((f"It does not page: {why}." for names, why in named if name in names), None)


def _of_near_miss(facts: Facts) -> str | None:
    missed = [one for one in facts.near_misses if one.since <= facts.at <= one.until]
    if not missed or facts.entry is None:
        return None
    miss, entry = missed[-1], facts.entry
    needed = entry.for_critical if miss.level is Level.CRITICAL else entry.for_warning
    lasted = format_duration(miss.until - miss.since)
    return (
        f"It did not page: it breached {miss.level.value} from {clock(miss.since, miss.until)} to"
        f" {miss.until:%H:%M:%S} only, and {lasted} are less than its for of {format_duration(needed)}."
    )


def _of_whole_alert(facts: Facts) -> str | None:
    if facts.key.alert == OWN:
        return f"It does not page: graphite-pager has no such incident of its own open.{_last(facts)}"
    if facts.key.is_series:
        return None
    since = facts.state.no_data_since if facts.state else None
    if since is not None and facts.entry is not None and facts.entry.no_data is NoDataPolicy.ALERT:
        return _until_no_data("no series has come", since, facts.entry, facts)
    return f"It does not page: nothing is open of the alert as a whole.{_last(facts)}"


def _of_missing(facts: Facts) -> str | None:
    entry = facts.entry
    if entry is None or (facts.reading is not None and facts.reading.level is not Level.NO_DATA):
        return None
    is_gone = facts.reading is None
    what = "Graphite returns it no more" if is_gone else "it has no datapoint in the window"
    if is_gone and entry.on_vanish is not OnVanish.NO_DATA:
        return f"It does not page: {what}, and on_vanish: {entry.on_vanish.value} makes no page of that."
    if entry.no_data is NoDataPolicy.OK:
        return f"It does not page: {what}, which no_data: ok (or allow_no_data) counts as fine."
    if entry.no_data is NoDataPolicy.KEEP:
        return f"It does not page: {what}, and no_data: keep leaves everything as it was."
    since = facts.state.no_data_since if facts.state else None
    if since is None:
        patience = format_duration(entry.no_data_for)
        return (
            f"It did not page: {what}, but {_before_memory(facts) or 'nothing was open then'}; NO DATA pages after"
            f" {patience}."
        )
    return _until_no_data(what, since, entry, facts)


def _before_memory(facts: Facts) -> str | None:
    """That nobody knows what was open then, where the database tells of later times only."""
    since = facts.remembered_since
    if not facts.is_past or (since and since <= facts.at):
        return None
    first = "" if since is None else f" before {clock(since, facts.at)}"
    return f"nothing is remembered of any time{first}"


def _until_no_data(what: str, since: datetime, entry: Entry, facts: Facts) -> str:
    due = clock(since + entry.no_data_for, facts.at)
    return (
        f"It has not paged yet: {what} since {clock(since, facts.at)}, and NO DATA pages at {due} if that goes on"
        f" (no_data_for: {format_duration(entry.no_data_for)})."
    )


def _of_good(facts: Facts) -> str | None:
    reading = facts.reading
    if reading is None or reading.level is not Level.OK:
        return None
    distance = distances.distance(reading)
    far = f" ({distances.in_words(distance, reading.entry)})" if distance else ""
    value = "" if reading.value is None else value_in_words(reading.value, reading.entry, reading.level)
    for rival in facts.rivals:
        level = Level.OK if reading.value is None else checks.level_of(reading.value, rival)
        if level is not Level.OK:
            return (
                f"It does not page: {value} breaches no threshold of the entry that owns it{far}; the entry in line"
                f" {rival.line}, by which it would be {level.label}, comes later and never sees it."
            )
    return f"It does not page: {value} breaches no threshold{far}.{_last(facts)}"


def _of_breach(facts: Facts) -> str | None:
    reading, alert = facts.reading, facts.alert
    if reading is None or alert is None:
        return None
    entry, level = reading.entry, reading.level
    threshold = entry.threshold(level)
    bound = f" ({level.value} {phrase(threshold)})" if threshold else ""
    value = "" if reading.value is None else value_in_words(reading.value, entry, level)
    breach = f"{value} is {level.label}{bound}"
    since, needed = _pending(facts, reading)
    if needed and since is not None and facts.at - since < needed:
        due = clock(since + needed, facts.at)
        return (
            f"It has not paged yet: {breach} since {clock(since, facts.at)}, and pages at {due} if that goes on"
            f" (for: {format_duration(needed)})."
        )
    if facts.is_past:
        why = _before_memory(facts) or "no incident was open: perhaps no pager polled, or by other rules"
        return f"It did not page: {breach}, but {why}."
    if silent := _silent_since(facts):
        return f"It has not paged yet: {breach}, but {silent}: is one running?"
    held = f", and will be held back by {printable(facts.hold)}" if facts.hold else ""
    if alert.interval > facts.heartbeat:
        return (
            f"It has not paged yet: {breach}, and its interval of {format_duration(alert.interval)} is not over{held}."
        )
    return f"It has not paged yet: {breach}, which the next poll will see{held}."


def _pending(facts: Facts, reading: Reading) -> tuple[datetime | None, timedelta]:
    """Since when it breaches, as far as that is known, and how long it has to."""
    is_critical = reading.level is Level.CRITICAL
    run = reading.critical_run if is_critical else reading.warning_run
    remembered = facts.state and (facts.state.critical_since if is_critical else facts.state.warning_since)
    since = remembered or (run.since if run else None)
    return since, reading.entry.for_critical if is_critical else reading.entry.for_warning


def _last(facts: Facts) -> str:
    """What its last incident was, where it had one."""
    over = [one for one in facts.incidents if one.key == facts.key and one.closed_at and one.closed_at <= facts.at]
    if not over:
        return ""
    last = over[-1]
    begin, end = clock(last.opened_at, facts.at), clock(last.closed_at or facts.at, facts.at)
    was_told = any(each.kind is EventKind.TRIGGERED and each.status is DeliveryStatus.SENT for each in last.deliveries)
    told = "paged" if was_told else "did not page"
    why = printable(last.close_reason or "no reason")
    return f" Its last incident {told}: {last.level.label} from {begin} to {end} ({why})."


_REASONS = (
    _of_open_incident,
    _of_removed,
    _of_failure,
    _not_judged,
    _of_near_miss,
    _of_whole_alert,
    _of_missing,
    _of_good,
    _of_breach,
)
