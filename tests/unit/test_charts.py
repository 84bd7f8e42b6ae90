"""Charts and sparklines: what is drawn, whatever the values and the names are."""

from __future__ import annotations

import io
import math
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from graphitepager.curves import Curve
from graphitepager.reports.chartlayout import Picture, Span, laid_out
from graphitepager.reports.chartpng import chart_png
from graphitepager.reports.charts import chart_svg, sparkline_svg
from graphitepager.rules import Entry, Level, Query
from graphitepager.thresholds import Operator, parse, parse_unit, threshold_of

END = datetime(2026, 1, 10, 14, tzinfo=UTC)
BEGIN = END - timedelta(days=1)
MINUTE = 60
NAN = math.nan


def entry(warning: str | None, critical: str | None, unit: str = "%", operator: Operator = Operator.AT_LEAST) -> Entry:
    first, second = (
        text and threshold_of(parse(text), operator, parse_unit(unit) if unit else None) for text in (warning, critical)
    )
    return Entry(query=Query("a.b", "-1min", None), warning=first or None, critical=second or None, line=1)


def curve(values: list[float], step: int = MINUTE) -> Curve:
    return Curve(int(BEGIN.timestamp()), step, values)


def picture(values: list[float], *, step: int = MINUTE, **others: object) -> Picture:
    return Picture(**{"name": "db1", "curve": curve(values, step), "entry": None, "begin": BEGIN, "end": END, **others})  # type: ignore[arg-type]


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own


HARD = {
    "nothing": [],
    "one": [5.0],
    "no datapoint": [NAN] * 100,
    "equal": [7.0] * 300,
    "infinite": [1.0, math.inf, 2.0, -math.inf] * 100,
    "huge": [1e308, -1e308, 1.7e308] * 100,
    "tiny": [5e-324, 1e-323] * 50,
    "many": [math.sin(place / 900) for place in range(100_000)],
}


@pytest.mark.parametrize("values", HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("width", [360, 760])
def test_every_series_makes_a_picture(values: list[float], width: int) -> None:
    step = 1 if len(values) > 1440 else MINUTE
    svg = chart_svg(picture(values, step=step, entry=entry("70%", "90%"), width=width))
    ET.fromstring(svg)  # noqa: S314 - our own
    assert not re.search(r"\b(nan|inf)\b", svg.replace("infinite", ""))
    assert len(svg) < 40_000


@pytest.mark.parametrize("values", HARD.values(), ids=HARD.keys())
def test_every_series_makes_a_small_sparkline(values: list[float]) -> None:
    svg = sparkline_svg(curve(values), entry("70%", "90%"))
    ET.fromstring(svg)  # noqa: S314 - our own
    assert not re.search(r"[ML ](nan|inf)", svg)
    assert len(svg) <= 450


@pytest.mark.parametrize("values", HARD.values(), ids=HARD.keys())
def test_every_series_makes_a_png(values: list[float]) -> None:
    muted = Span(level=None, begins_at=BEGIN, ends_at=END - timedelta(hours=3), words="silenced")
    fired = Span(level=Level.NO_DATA, begins_at=BEGIN, ends_at=None, words="NO DATA")
    png = chart_png(picture(values, step=1 if len(values) > 1440 else MINUTE, spans=[muted, fired], heading="db1 中"))
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == (1520, 520)
        assert image.getcolors(10) is None  # there are more: something is drawn


def test_thresholds_bear_their_words() -> None:
    shown = texts(chart_svg(picture([50.0, 60.0], entry=entry("70%", "90%"))))
    assert "warning 70%" in shown
    assert "critical 90%" in shown


def test_a_threshold_far_away_does_not_press_the_values_flat() -> None:
    chart = laid_out(picture([1.0, 2.0, 3.0], entry=entry(None, "1000000")))
    assert [one.text for one in chart.labels if one.kind == "critical"] == ["critical 1000000% ↑"]
    heights = {y for _, y in chart.strokes[0]}
    assert max(heights) - min(heights) > (chart.bottom - chart.top) / 3


def test_labels_of_thresholds_do_not_cover_each_other() -> None:
    chart = laid_out(picture([0.0, 1000.0], entry=entry("10", "11")))
    places = sorted(one.y for one in chart.labels if one.kind in {"warning", "critical"})
    assert places[1] - places[0] >= 12


def test_a_gap_stays_a_gap() -> None:
    chart = laid_out(picture([1.0, 2.0, NAN, NAN, 3.0, 4.0]))
    assert len(chart.strokes) == 2


def test_a_breach_shorter_than_a_pixel_is_seen() -> None:
    values = [1.0] * 86_400
    values[40_000] = 99.0
    chart = laid_out(picture(values, step=1))
    top_of_all = min(y for area in chart.areas for _, y in area)
    usual = sorted(y for area in chart.areas for _, y in area)[100]
    assert usual - top_of_all > 100


def test_incidents_and_mutes_lie_where_they_were() -> None:
    noon = END - timedelta(hours=12)
    spans = [
        Span(level=Level.CRITICAL, begins_at=noon, ends_at=None, words="Critical since 02:00"),
        Span(level=None, begins_at=BEGIN - timedelta(days=3), ends_at=noon, words="silenced by anna"),
        Span(level=Level.WARNING, begins_at=END + timedelta(hours=1), ends_at=None, words="later"),
    ]
    chart = laid_out(picture([1.0], spans=spans))
    critical, muted = chart.boxes
    assert (critical.kind, muted.kind) == ("critical", "muted")
    assert critical.left + critical.width == pytest.approx(chart.right)
    assert muted.left == chart.left
    assert muted.width == pytest.approx((chart.right - chart.left) / 2)
    assert "silenced by anna" in chart_svg(picture([1.0], spans=spans))


def test_names_are_text_and_nothing_else() -> None:
    name = '<script>alert("1")</script>\u202e\x00\ud800&' + "x" * 2000
    svg = chart_svg(picture([1.0], name=name, heading=name))
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert not list(root.iter("script"))
    assert "\u202e" not in svg
    heading = next(one for one in texts(svg) if one.startswith("<script>"))
    assert len(heading) < 100
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert (title.text or "").startswith('<script>alert("1")</script>\\u202e\\x00\\ud800&x')


def test_those_who_do_not_see_it_are_told_what_it_shows() -> None:
    spans = [Span(level=Level.CRITICAL, begins_at=BEGIN, ends_at=END, words="Critical for a day")]
    chart = laid_out(picture([50.0, 95.0, 60.0], entry=entry("70%", "90%"), spans=spans))
    assert chart.description == (
        "From 2026-01-09 14:00 to 2026-01-10 14:00 UTC: between 50% and 95%, last 60%."
        " Warning: 70%. Critical: 90%. Critical for a day."
    )


def test_an_empty_picture_says_why() -> None:
    assert "no datapoints in this time" in texts(chart_svg(picture([])))
    assert "Graphite gave no answer" in texts(chart_svg(picture([], note="Graphite gave no answer")))


def test_a_sparkline_draws_the_threshold_that_is_nearest() -> None:
    assert 'class="warning"' in sparkline_svg(curve([60.0, 65.0]), entry("70%", "90%"))
    assert 'class="critical"' in sparkline_svg(curve([60.0, 95.0]), entry("70%", "90%"))


def test_a_sparkline_keeps_what_is_worse() -> None:
    values = [50.0] * 600
    values[300] = 1.0
    low = sparkline_svg(curve(values), entry(None, "5", operator=Operator.AT_MOST))
    high = sparkline_svg(curve(values), entry(None, "95"))
    assert 'aria-label="1% to 50%"' in low
    assert 'aria-label="50% to 50%"' in high
