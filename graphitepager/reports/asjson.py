"""A backtest as JSON values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from graphitepager.backtesting import AlertReport, Difference, Moved, PastIncident, Report
    from graphitepager.pastwindows import Replayed


def report_as_json(report: Report, replayed: Replayed) -> dict[str, Any]:
    """The keys are those that docs/reference/commands.md describes."""
    return {
        "from": report.begin.isoformat(),
        "until": report.end.isoformat(),
        "pages": report.pages,
        "alerts": [_alert(one, report.end) for one in report.alerts],
        "left_out": [{"alert": alert, "reason": reason} for alert, reason in replayed.failed.items()],
        "coarse": [{"target": one.target, "step_s": one.past, "step_now_s": one.present} for one in replayed.coarse],
    }


def difference_as_json(difference: Difference) -> dict[str, Any]:
    """The same, of what `--against` finds."""
    return {
        "gained": [_incident(one) for one in difference.gained],
        "lost": [_incident(one) for one in difference.lost],
        "later": [_moved(one) for one in difference.later],
        "earlier": [_moved(one) for one in difference.earlier],
    }


def _alert(one: AlertReport, end: datetime) -> dict[str, Any]:
    noisiest = one.noisiest
    return {
        "alert": one.alert.name,
        "pages": one.pages,
        "near_misses": one.near_misses,
        "firing_s": one.firing.total_seconds(),
        "noisiest_series": noisiest and {"series": noisiest[0], "pages": noisiest[1]},
        "longest_s": one.longest.lasts(end).total_seconds() if one.longest else 0.0,
        "incidents": [_incident(each) for each in one.incidents],
    }


def _incident(one: PastIncident) -> dict[str, Any]:
    value = one.value
    return {
        "alert": one.key.words[0],
        "series": one.series,
        "level": one.level.value,
        "begins_at": one.begins_at.isoformat(),
        "ends_at": one.ends_at.isoformat() if one.ends_at else None,
        "value": value if value is None or math.isfinite(value) else str(value),
        "pages": one.pages,
        "held_by": one.held_by,
        "summary": one.summary,
    }


def _moved(one: Moved) -> dict[str, Any]:
    return {"before": _incident(one.before), "after": _incident(one.after)}
