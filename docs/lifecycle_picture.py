"""Draws docs/lifecycle.svg, the states of a series: `python docs/lifecycle_picture.py`.

Every text stands on a shape of its own, so that the picture reads on a white page as well as on a black one.
"""  # noqa: INP001

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).resolve().parent / "lifecycle.svg"
WIDTH, HEIGHT = 920, 372
TITLE = (
    "The states of a series: Nominal, pending after a breach, firing once that has lasted for its `for`, recovering "
    "past `clear`, and Nominal again after `keep_firing_for`. In each of them data can be missing."
)
_LETTER = 6.7  # the width of one at 12 px, about
_LINE = "#8a8f98"


class State(NamedTuple):
    """A box: its middle, its words and colours."""

    x: float
    y: float
    name: str
    fill: str
    ink: str = "#ffffff"


class Label(NamedTuple):
    """What happens on the way: the lines of a text around a middle. `is_told`: notifiers hear of it."""

    x: float
    y: float
    lines: tuple[str, ...]
    is_told: bool = False


STATES = (
    State(95, 150, "Nominal", "#2e7d32"),
    State(335, 150, "pending", "#f2c14e", "#202124"),
    State(585, 150, "firing", "#c62828"),
    State(825, 150, "recovering", "#1565c0"),
    State(335, 330, "no data", "#5f4b8b"),
)
# Straight and bent lines, each with its arrow at the end.
ARROWS = (
    "M160 140 H266",
    "M270 162 H164",
    "M400 150 H516",
    "M650 140 H756",
    "M760 162 H654",
    "M825 126 V62 Q825 46 809 46 H111 Q95 46 95 62 V122",
    "M560 174 V228 H610 V178",
    "M300 250 V302",
    "M370 306 V254",
)
LABELS = (
    Label(213, 122, ("a breach",)),
    Label(215, 191, ("good data:", "a near miss")),
    Label(458, 115, ("it lasted `for`:", "triggered"), is_told=True),
    Label(703, 122, ("past `clear`",)),
    Label(706, 191, ("a breach:", "same incident")),
    Label(460, 46, ("good data for `keep_firing_for`: resolved",), is_told=True),
    Label(585, 230, ("Warning, Critical: the new one is triggered, the old one resolved",), is_told=True),
    Label(180, 282, ("no datapoint for `no_data_for`:", "triggered at NO DATA"), is_told=True),
    Label(430, 282, ("data is back:", "resolved"), is_told=True),
    Label(724, 318, ("Where `for` and `keep_firing_for` are 0,", "pending and recovering last no time at all.")),
)
FRAME = (20, 84, 880, 166)  # what can all have no data: x, y, width, height


def draw() -> str:
    """The picture."""
    x, y, width, height = FRAME
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">'
    )
    arrow_head = (
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 L10 5 L0 10 Z" fill="{_LINE}"/></marker></defs>'
    )
    frame = (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="14" fill="none" stroke="{_LINE}" '
        'stroke-dasharray="5 5"/>'
    )
    title = f"<title>{escape(TITLE)}</title>"
    parts = [head, title, arrow_head, frame, *map(_arrow, ARROWS), *map(_box, STATES), *map(_pill, LABELS), "</svg>"]
    return "\n".join(parts) + "\n"


def _arrow(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="2" marker-end="url(#arrow)"/>'


def _box(state: State) -> str:
    return (
        f'<rect x="{state.x - 65:g}" y="{state.y - 24:g}" width="130" height="48" rx="10" fill="{state.fill}"/>'
        f'<text x="{state.x:g}" y="{state.y + 5:g}" text-anchor="middle" font-size="16" font-weight="600" '
        f'fill="{state.ink}">{escape(state.name)}</text>'
    )


def _pill(label: Label) -> str:
    width = max(map(len, label.lines)) * _LETTER + 14
    height = 16 * len(label.lines) + 6
    top = label.y - height / 2
    fill, edge = ("#fff4e5", "#c62828") if label.is_told else ("#eceff1", "#b0b6bd")
    lines = "".join(
        f'<text x="{label.x:g}" y="{top + 15 + 16 * number:g}" text-anchor="middle" fill="#202124">{_code(line)}</text>'
        for number, line in enumerate(label.lines)
    )
    return (
        f'<rect x="{label.x - width / 2:g}" y="{top:g}" width="{width:g}" height="{height}" rx="6" fill="{fill}" '
        f'stroke="{edge}"/>{lines}'
    )


def _code(text: str) -> str:
    """Every other part, between backticks, as code."""
    parts = [escape(part) for part in text.split("`")]
    return "".join(
        f'<tspan font-family="ui-monospace, monospace">{part}</tspan>' if number % 2 else part
        for number, part in enumerate(parts)
    )


if __name__ == "__main__":
    TARGET.write_text(draw())
