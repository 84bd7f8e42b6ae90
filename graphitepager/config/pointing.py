"""Problems that are found out elsewhere, such as by asking Graphite, shown where they belong in the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager.problems import present

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphitepager.config.inputs import Inputs
    from graphitepager.config.yamlsource import Path
    from graphitepager.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Knows where each entry stands. `numbers` are its entries' places in the whole file, by the alert's name."""

    inputs: Inputs
    numbers: Mapping[str, Sequence[int]]
    texts: Mapping[str, str]
    secrets: frozenset[str]

    def problem(
        self, alert: str, entry: int, keys: Sequence[str], message: str, hint: str | None, *, is_error: bool
    ) -> Problem:
        """A problem with the first of these keys that the alert's n-th entry has, or else with the entry as a whole."""
        path: Path = ("alerts", self.numbers[alert][entry])
        found = [(*path, key) for key in keys if self.inputs.at((*path, key)) is not None]
        path = found[0] if found else path
        return self.inputs.problem(path, f"{self.inputs.label(path)}: {message}", hint, is_error=is_error)

    def present(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Make them fit to be shown, with the lines that they speak of and without secrets."""
        return present(problems, self.texts, self.secrets)
