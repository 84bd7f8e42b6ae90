"""The pager's metrics about itself, for Prometheus to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from graphitepager import __version__, ownmetrics
from graphitepager.ownmetrics import METRICS, PREFIX, Kind
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import Metric as Family

    from graphitepager.ownmetrics import Sample

pages = Blueprint("metrics", __name__)


@pages.get("/metrics")
def scrape() -> Response:
    """What the database knows now, in the form that the scraper asks for."""
    site = this_site()
    heartbeat_s = site.configuration().settings.heartbeat_s
    taken = ownmetrics.samples(site.store().glance(site.clock()), heartbeat_s=heartbeat_s, version=__version__)
    registry = CollectorRegistry()
    registry.register(_Taken(taken))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


class _Taken(Collector):
    """Samples as prometheus-client wants them."""

    def __init__(self, taken: Iterable[Sample]) -> None:
        self._taken = tuple(taken)

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
            family = make(f"{PREFIX}_{metric.name}", metric.about, labels=metric.labels)
            for sample in self._taken:
                if sample.metric is metric:
                    family.add_metric(sample.labels, sample.value)
            yield family
