"""graphite-pager: polls Graphite, evaluates thresholds, opens and resolves PagerDuty incidents."""

__version__ = "1.0.0.dev0"
