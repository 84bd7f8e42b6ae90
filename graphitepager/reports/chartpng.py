"""A picture as PNG, for receivers that show no SVG: the same layout, drawn with Pillow."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageColor, ImageDraw, ImageFont

from graphitepager.reports.chartlayout import laid_out

if TYPE_CHECKING:
    from graphitepager.reports.chartlayout import Box, Chart, Corners, Picture

# Two pixels for each of the layout, as good screens have them; and drawn twice as large as that, for smooth edges.
_SCALE, _SMOOTH = 2, 2
_FINE = _SCALE * _SMOOTH
_GROUND, _INK, _SOFT, _EDGE, _LINE, _MUTED = "#ffffff", "#1b2430", "#5b6673", "#e4e8ed", "#2563a8", "#8893a0"
_LEVELS = {"warning": "#9a5b00", "critical": "#c4231f", "no_data": "#6d3fae"}
_TEXT_SIZE, _SIZES = 11, {"heading": 14, "note": 13}
_INKS = {"heading": _INK, "note": _INK, **_LEVELS}
_HATCH, _DASH, _PERIOD, _CAP = 8, 5, 9, 4


def chart_png(picture: Picture) -> bytes:
    """Draw it, light, at twice its size."""
    chart = laid_out(picture)
    size = (chart.width * _SCALE, chart.height * _SCALE)
    image = Image.new("RGB", (chart.width * _FINE, chart.height * _FINE), _GROUND)
    draw = ImageDraw.Draw(image, "RGBA")
    for line in chart.lines:
        if line.kind == "grid":
            draw.line(_scaled([(chart.left, line.y), (chart.right, line.y)]), fill=_EDGE, width=_FINE)
    for box in chart.boxes:
        _shade(draw, chart, box)
    for corners in chart.areas:
        draw.polygon(_scaled(corners), fill=_thin(_LINE, 0.13 if chart.strokes else 0.45))
        if not chart.strokes:
            draw.line(_scaled([*corners, corners[0]]), fill=_LINE, width=round(0.8 * _FINE), joint="curve")
    for line in chart.lines:
        if line.kind != "grid":
            _dashed(draw, chart, line.y, _LEVELS[line.kind])
    for corners in chart.strokes:
        draw.line(_scaled(corners), fill=_LINE, width=round(1.75 * _FINE), joint="curve")
    image = image.resize(size, Image.Resampling.LANCZOS)
    _write(image, chart)
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()


def _scaled(corners: Corners) -> list[tuple[float, float]]:
    return [(x * _FINE, y * _FINE) for x, y in corners]


def _thin(colour: str, share: float) -> tuple[int, ...]:
    return (*ImageColor.getrgb(colour)[:3], round(share * 255))


def _shade(draw: ImageDraw.ImageDraw, chart: Chart, box: Box) -> None:
    """An incident in its colour, with a cap; a mute in stripes."""
    right = box.left + box.width
    if box.kind != "muted":
        colour = _LEVELS[box.kind]
        draw.rectangle(_scaled([(box.left, chart.top), (right, chart.bottom)]), fill=_thin(colour, 0.15))
        draw.rectangle(_scaled([(box.left, chart.top - _CAP), (right, chart.top)]), fill=colour)
        return
    height = chart.bottom - chart.top
    at = box.left - height
    while at < right:  # each stripe rises to the right, as far as it lies in the box
        first, last = max(at, box.left), min(at + height, right)
        if first < last:
            ends = [(first, chart.bottom - (first - at)), (last, chart.bottom - (last - at))]
            draw.line(_scaled(ends), fill=_thin(_MUTED, 0.5), width=round(1.25 * _FINE))
        at += _HATCH


def _dashed(draw: ImageDraw.ImageDraw, chart: Chart, y: float, colour: str) -> None:
    x = chart.left
    while x < chart.right:
        end = min(x + _DASH, chart.right)
        draw.line(_scaled([(x, y), (end, y)]), fill=colour, width=round(1.25 * _FINE))
        x += _PERIOD


def _write(image: Image.Image, chart: Chart) -> None:
    """The labels, on their final size: small text that is shrunk is hard to read."""
    draw = ImageDraw.Draw(image)
    for label in chart.labels:
        draw.text(
            (label.x * _SCALE, label.y * _SCALE),
            label.text,
            fill=_INKS.get(label.kind, _SOFT),
            font=_font(_SIZES.get(label.kind, _TEXT_SIZE) * _SCALE),
            anchor={"start": "ls", "middle": "ms", "end": "rs"}[label.anchor],
            stroke_width=_SCALE if label.kind in _LEVELS else 0,
            stroke_fill=_GROUND,
        )


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow: nothing has to be installed."""
    return ImageFont.load_default(size)
