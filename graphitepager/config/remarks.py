"""What is odd about a file that can be read: no Graphite, keys without effect, alerts that nobody will hear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphitepager.config.meaning import forgotten_before_missed, twins_at_odds, unheard_levels
from graphitepager.config.schema import (
    AlertEntry,
    AlertsFile,
    PagerdutyKeys,
    SlackKeys,
    unused_keys,
)
from graphitepager.config.yamlsource import describe
from graphitepager.problems import ENVIRONMENT, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.config.inputs import Inputs
    from graphitepager.config.yamlsource import Path

_LINK = re.compile(r"\s*https?://[^/\s]+", re.IGNORECASE)


def missing_url(inputs: Inputs, *, is_error: bool) -> Iterator[Problem]:
    """That nobody has said where Graphite is."""
    if inputs.document and inputs.data.get("graphite_url") is None:
        yield Problem(
            source=ENVIRONMENT,
            message="GRAPHITE_URL is not set",
            hint=f"export GRAPHITE_URL=https://graphite.example.com, or write graphite_url: in {inputs.source}",
            is_error=is_error,
        )


def without_effect(inputs: Inputs) -> Iterator[Problem]:
    """One warning for each key of the old program that is accepted and ignored, at its first place."""
    warned = set()
    places: list[tuple[Path, str]] = [((key,), why) for key, why in unused_keys(AlertsFile).items()]
    in_alerts = unused_keys(AlertEntry)
    places += [(("alerts", index, key), why) for index in inputs.alerts for key, why in in_alerts.items()]
    for path, why in places:
        if path[-1] not in warned and inputs.at(path) is not None:
            warned.add(path[-1])
            yield inputs.problem(path, f"{inputs.label(path)} has no effect", why, is_error=False, at_key=True)


def odd_links(inputs: Inputs) -> Iterator[Problem]:
    """Links that nobody could follow; the old program took any text, so this is no error."""
    paths: Iterable[Path] = [("docs_url",), *(("alerts", index, "doc_url") for index in inputs.alerts)]
    for path in paths:
        link = inputs.at(path)
        if isinstance(link, str) and link.strip() and not _LINK.match(link):
            message = f"{inputs.label(path)}: expected a URL with http:// or https://, got {describe(link)}"
            yield inputs.problem(path, message, is_error=False)


def forgotten(parsed: AlertsFile, inputs: Inputs) -> Iterator[Problem]:
    """Alerts whose series would be forgotten before anybody hears that they are missing."""
    for index, alert in enumerate(parsed.alerts):
        if reason := forgotten_before_missed(alert, parsed):
            path = ("alerts", index, "forget_after")
            yield inputs.problem(path, f"{inputs.label(path)}: {reason}")


def unheard(parsed: AlertsFile, inputs: Inputs) -> Iterator[Problem]:
    """Alerts that fire without anybody being told."""
    unheard = {index: levels for index, alert in enumerate(parsed.alerts) if (levels := unheard_levels(alert, parsed))}
    hint = "export PAGERDUTY_KEY=… or SLACK_URL=…, or STDOUT_ENABLED=true to print incidents"
    has_keys = (parsed.pagerduty, parsed.slack) != (PagerdutyKeys(), SlackKeys()) or any(
        alert.pagerduty_key or alert.slack_url or alert.notify.by_level() for alert in parsed.alerts
    )
    if unheard and not has_keys:
        message = "nobody will be notified: no alert has a PagerDuty key or a Slack URL"
        yield Problem(source=ENVIRONMENT, message=message, hint=hint, is_error=False)
        return
    for index, levels in unheard.items():
        path = ("alerts", index)
        at, lack = ", ".join(levels), "for want of a PagerDuty key or a Slack URL"
        message = f"{inputs.label(path)}: nobody will be notified at {at}, {lack}"
        yield inputs.problem(path, message, hint, is_error=False)


def at_odds(parsed: AlertsFile, inputs: Inputs) -> Iterator[Problem]:
    """Two names for one place: what is passed on or collected goes by the place."""
    for name, twin in twins_at_odds(parsed):
        path = ("notifiers", name)
        message = f"{inputs.label(path)}: the same place as {twin}, which has other fallback, escalate or digest"
        yield inputs.problem(path, message, "let both say the same", at_key=True)
