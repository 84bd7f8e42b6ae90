"""The keys that hold templates: an alert's own words, and its labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationError

from graphitepager import templates
from graphitepager.config.fields import Text, did_you_mean, refuse
from graphitepager.config.yamlsource import describe
from graphitepager.printable import printable
from graphitepager.redaction import redact_words
from graphitepager.templates import TemplateError
from graphitepager.wording import DETAILS, LABEL_NAMES, NAMES, trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic_core import InitErrorDetails

    from graphitepager.config.inputs import Inputs
    from graphitepager.config.schema import AlertsFile
    from graphitepager.config.yamlsource import Path
    from graphitepager.problems import Problem
    from graphitepager.rules import Alert

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,59}")
_MOST_LABELS = 30
_LONGEST_REASON = 300
_WEB = re.compile(r"https?://\S", re.IGNORECASE)


def _template(names: frozenset[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            templates.check(value, names)
        except TemplateError as error:
            raise refuse(_reason(error), _hint(error)) from None
        return value

    return check


def _reason(error: TemplateError) -> str:
    """On one line, and not too long: it may quote the user."""
    return redact_words(printable(error.reason)[:_LONGEST_REASON])


def _hint(error: TemplateError) -> str | None:
    return did_you_mean(error.word, error.known) if error.word is not None else None


def _web_address(value: str) -> str:
    if not _WEB.match(value.strip()):
        raise refuse(f"expected the whole URL, with http:// or https://, got {describe(value)}")
    return value.strip()


def _labels(value: object) -> object:
    if not isinstance(value, dict):
        return value
    if len(value) > _MOST_LABELS:
        raise refuse(f"{len(value)} labels, an alert has at most {_MOST_LABELS}")
    if complaints := [*_odd_labels(value)]:
        raise ValidationError.from_exception_data("labels", complaints)
    return value


def _odd_labels(names: Iterable[str]) -> Iterator[InitErrorDetails]:
    for name in names:
        if name in DETAILS:
            error = refuse("every page has a detail of that name already", "call the label something else")
        elif not _LABEL.fullmatch(name):
            error = refuse("this cannot be the name of a label", "letters, digits, _ and -, and no digit first")
        else:
            continue
        yield {"type": error, "loc": (name,), "input": None}


Template = Annotated[Text, AfterValidator(_template(NAMES))]
Runbook = Annotated[Template, AfterValidator(_web_address)]
Labels = Annotated[dict[str, Annotated[Text, AfterValidator(_template(LABEL_NAMES))]], BeforeValidator(_labels)]


def failing_templates(file: AlertsFile, alerts: Iterable[Alert], inputs: Inputs) -> Iterator[Problem]:
    """Problems with templates that are well formed, and fail when they are filled in for an example of a series."""
    places: dict[str, list[int]] = {}
    for index, written in enumerate(file.alerts):
        places.setdefault(written.name, []).append(index)
    for alert in alerts:
        for index, entry in zip(places[alert.name], alert.entries, strict=True):  # which are in file order
            for fault in trial(alert.name, entry):
                path: Path = ("alerts", index, *fault.path)
                if fault.error.word is not None:
                    yield inputs.problem(path, f"{inputs.label(path)}: {_reason(fault.error)}", _hint(fault.error))
                    continue
                message = f"{inputs.label(path)}: fails for an example of a series: {_reason(fault.error)}"
                hint = "where it does, the page has the default text"
                yield inputs.problem(path, message, hint, is_error=False)
