"""Plain data against a section: what is wrong with it, all at once, and the words for it."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

    from graphitepager.config.sections import Section
    from graphitepager.config.yamlsource import Path

_Section = TypeVar("_Section", bound="Section")


def validate(
    section: type[_Section], data: Any, context: Mapping[str, Any] | None = None
) -> tuple[_Section | None, list[Path], list[ErrorDetails]]:
    """The section, or None; the places of keys that it does not know; and everything else that is wrong.

    `context` is for the section's own validators.
    """
    parsed, errors = _attempt(section, data, context)
    # Unknown keys are no reason not to read the rest, so it is read again without them.
    unknown: list[Path] = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    if unknown:
        parsed, errors = _attempt(section, functools.reduce(_without, unknown, data), context)
    return parsed, unknown, errors


def left_of(section: type[_Section], data: Any, wrong: Iterable[Path]) -> _Section | None:
    """The section without what is wrong in it, so that the rest can be looked at; None where it is no section then."""
    for path in reversed(list(wrong)):  # of a list, the last one first
        with contextlib.suppress(LookupError, TypeError, AttributeError):  # what it stood in has gone, or never was
            data = _without(data, path)
    return _attempt(section, data, None)[0]


def explained(error: ErrorDetails, got: str) -> tuple[str, str | None]:
    """What was expected where there is what `got` says, and what to do about it."""
    match error["type"]:
        case "refused":
            return error["ctx"]["message"], error["ctx"]["hint"]
        case "too_short":
            return f"expected at least one, got {got}", None
        case "list_type":
            return f"expected a list, got {got}", "begin each item with '- '"
        case "model_type" | "dict_type":
            return f"expected keys and values, got {got}", "write key: value"
        case _:
            return error["msg"], None


def _attempt(
    section: type[_Section], data: Any, context: Mapping[str, Any] | None
) -> tuple[_Section | None, list[ErrorDetails]]:
    try:
        return section.model_validate(data, context=context), []
    except ValidationError as invalid:
        return None, invalid.errors(include_url=False)


def _without(data: Any, path: Path) -> Any:
    """A copy that lacks the value at the path; aliased data is shared, and must not change elsewhere."""
    step, *rest = path
    if step == 0 and isinstance(data, dict):  # a single item, written without its list
        return _without(data, tuple(rest))
    copy = data.copy()
    if rest:
        copy[step] = _without(data[step], tuple(rest))
    else:
        del copy[step]
    return copy
