"""A strict PagerDuty on a loopback port: refuses what PagerDuty refuses, fails as networks fail.

with FakePagerDuty() as pagerduty:
    pagerduty.fail_next(Fault.RESET_AFTER_INGEST)
    ...  # something posts to pagerduty.url + "/v2/enqueue"
    assert [incident.title for incident in pagerduty.open_incidents()] == ["db1 is 82.4"]
    assert not pagerduty.rejected()

It is the Events API v2, and of the REST API the lists of incidents and of their alerts, for `pagerduty.api_token`.

`python -m tests.fakes.pagerduty` serves the same as a process of its own.
Contract: https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from tests.fakes.pagerduty.door import Answer, Manner
from tests.fakes.pagerduty.fake import FakePagerDuty
from tests.fakes.pagerduty.faults import Fault
from tests.fakes.pagerduty.incidents import Effect, Event, Incident, Status
from tests.fakes.pagerduty.leaks import assert_no_secret
from tests.fakes.pagerduty.rules import Rejection

__all__ = [
    "Answer",
    "Effect",
    "Event",
    "FakePagerDuty",
    "Fault",
    "Incident",
    "Manner",
    "Rejection",
    "Status",
    "assert_no_secret",
]
