"""One run from lock to last point, and its exit code; and one run after another."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager import telemetry
from graphitepager.errors import PagerError
from graphitepager.sql import exitcodes
from graphitepager.sql.collecting import Gathering, deliver, gather
from graphitepager.sql.spool import Spool
from graphitepager.telemetry import log

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import URL

    from graphitepager.rules import Settings
    from graphitepager.sql.collecting import Receiver
    from graphitepager.sql.databases import Access
    from graphitepager.sql.model import Query
    from graphitepager.sql.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is to be done, each time. Without a receiver, lines are only printed; `echoes` prints what was sent.

    `verify` asks Graphite for the last point, for at most `verify_s` seconds. `lock` is file or db.
    """

    queries: Sequence[Query]
    urls: Mapping[str, URL]
    access: Access
    prefix: str
    key: str | None
    timeout_s: float
    receiver: Receiver | None
    echoes: bool
    verify: Settings | None
    verify_s: float
    lock: str | None
    identity: str
    print_text: Callable[[str], None]
    progress: Progress


def run_once(run: Run) -> int:
    """Gather, send, verify; return the exit code. Raises PagerError where it could not come so far."""
    from graphitepager.sql.databases import Database  # noqa: PLC0415 - SQLAlchemy is slow to import

    now = int(time.time())
    front = ".".join(part for part in (run.key if run.receiver else None, run.prefix) if part)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_locked(run))
        spool = stack.enter_context(Spool(prefix=front, now=now))
        databases = {}
        for name in {query.database for query in run.queries}:
            databases[name] = Database(run.urls[name], run.access)
            stack.callback(databases[name].close)
        what = Gathering(queries=run.queries, prefix=front, timeout_s=run.timeout_s, progress=run.progress)
        gathered = gather(what, databases, spool, now)
        if run.receiver is None:
            _print(run, spool)
        else:
            deliver(spool, run.receiver)
            if run.echoes:
                _print(run, spool)
            _verify(run, spool)
    if gathered.is_unreachable:
        return exitcodes.UNREACHABLE
    return exitcodes.OK if gathered.is_whole else exitcodes.SOME_FAILED


def run_every(run: Run, every_s: float, stop: threading.Event) -> None:
    """Run at once, and then every so many seconds; where a run takes longer, the next one waits for its turn."""
    due = time.monotonic()
    while not stop.is_set():
        try:
            run_once(run)
        except PagerError as error:
            log.error("run_failed", reason=str(error), exit_code=exitcodes.code_of(error))
        due += every_s * max(1, -(-(time.monotonic() - due) // every_s))
        stop.wait(max(0.0, due - time.monotonic()))


def _verify(run: Run, spool: Spool) -> None:
    if run.verify is None:
        return
    from graphitepager.sql.readback import read_back  # noqa: PLC0415 - requests is slow to import

    began = time.monotonic()
    read_back(spool.last_line(), run.verify, key=run.key, patience_s=run.verify_s)
    log.info("verified", seconds=time.monotonic() - began)


def _print(run: Run, spool: Spool) -> None:
    for batch in spool.batches():
        run.print_text(telemetry.scrub(batch.decode()))


@contextlib.contextmanager
def _locked(run: Run) -> Iterator[None]:
    if run.lock is None:
        yield
        return
    from graphitepager.sql import locks  # noqa: PLC0415 - as above

    url = run.urls[run.queries[0].database]
    with locks.file_lock(run.identity) if run.lock == "file" else locks.database_lock(run.identity, url):
        yield
