"""Every notifier beside a receiver of its own that is strict and can fail: what one contract can be held against."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphitepager.notifiers.apprise import Apprise
from graphitepager.notifiers.exec import Exec
from graphitepager.notifiers.mail import Mail
from graphitepager.notifiers.posting import Limits
from graphitepager.notifiers.slack import Slack
from graphitepager.notifiers.teams import Teams
from graphitepager.notifiers.webhook import Webhook
from tests.fakes import receivers
from tests.fakes.mail import FakeMail
from tests.fakes.receivers import SIGNING_KEY, TOKEN, Fault, unused_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from graphitepager.notifiers import Notifier

# In a hurry, so that what only ends by a timeout need not be waited for.
HURRIED = Limits(timeout_s=0.4, deadline_s=0.8)
PATIENT = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A notifier, its address and what it may never say; `fail` makes the next message fail.

    `hurried` is the same notifier with little patience. `received` is what has arrived, as text that people can read.
    """

    notifier: Notifier
    hurried: Notifier
    address: str
    nowhere: str
    secrets: tuple[str, ...]
    fail: Callable[[Fault], None]
    received: Callable[[], list[str]]
    objections: Callable[[], list[str]]


def _shown(body: object) -> str:
    return json.dumps(body, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@contextlib.contextmanager
def _over_http(
    receiver: receivers.Receiver, make: Callable[[Limits], Notifier], address: Callable[[str], str], *secrets: str
) -> Iterator[Bench]:
    with receiver:

        def fail(fault: Fault) -> None:
            receiver.fault = fault

        nowhere = receiver.url.replace(f":{receiver.url.split(':')[2].split('/')[0]}/", f":{unused_port()}/")
        yield Bench(
            notifier=make(PATIENT),
            hurried=make(HURRIED),
            address=address(receiver.url),
            nowhere=address(nowhere),
            secrets=secrets,
            fail=fail,
            received=lambda: [_shown(body) for body in receiver.received],
            objections=lambda: receiver.objections,
        )


def slack(_: Path) -> contextlib.AbstractContextManager[Bench]:
    return _over_http(receivers.slack(), lambda limits: Slack(limits=limits), str, "SecretPathOfAnAddress")


@contextlib.contextmanager
def slack_bot(_: Path) -> Iterator[Bench]:
    api = receivers.slack_api()

    address = json.dumps({"token": TOKEN, "channel": "#ops"})
    with _over_http(api, lambda limits: Slack(api.url, limits), lambda _: address, TOKEN) as bench:
        yield bench


def teams(_: Path) -> contextlib.AbstractContextManager[Bench]:
    return _over_http(receivers.teams(), Teams, str, "SecretPathOfAnAddress", "SecretSignature")


def webhook(_: Path) -> contextlib.AbstractContextManager[Bench]:
    def to(url: str) -> str:
        return json.dumps({"url": url, "secret": f"whsec_{SIGNING_KEY}"})

    return _over_http(receivers.webhook(), Webhook, to, "SecretPathOfAnAddress", SIGNING_KEY)


def apprise(_: Path) -> contextlib.AbstractContextManager[Bench]:
    def make(limits: Limits) -> Notifier:
        return Apprise(11 if limits is PATIENT else 1.5)

    return _over_http(receivers.json_taker(), make, lambda url: url.replace("http:", "json:"), "SecretPathOfAnAddress")


@contextlib.contextmanager
def mail(_: Path) -> Iterator[Bench]:
    with FakeMail() as fake:

        def to(port: int) -> str:
            people = {"from": "pager@example.com", "to": ["ops@example.com", "dba@example.com"]}
            return json.dumps({"server": f"smtp://127.0.0.1:{port}", **people})

        def fail(fault: Fault) -> None:
            fake.fault = fault

        yield Bench(
            notifier=Mail(PATIENT),
            hurried=Mail(HURRIED),
            address=to(fake.port),
            nowhere=to(unused_port()),
            secrets=("SecretPassword",),
            fail=fail,
            received=lambda: [_mail_in_words(one) for one in fake.received],
            objections=lambda: fake.objections,
        )


def _mail_in_words(mail: EmailMessage) -> str:
    head = "".join(f"{name}: {value}\n" for name, value in mail.items() if name != "Content-Type")
    bodies = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    return head + "\n" + "\n--\n".join(body.replace("\r\n", "\n") for body in bodies)


_COMMAND = """
import json, os, sys, time
fault = open({fault!r}).read()
open({fault!r}, "w").close()
if fault == "HANG": time.sleep(60)
while fault == "DRIP": print("x", flush=True) or time.sleep(0.05)
if fault == "INVALID": sys.exit(65)
if fault == "FORBIDDEN": os.kill(os.getpid(), 9)
if fault == "SERVER_ERROR": print("the pigeon is ill"); sys.exit(1)
if fault == "RATE_LIMITED": sys.exit(75)
if fault == "GARBAGE": sys.stdout.buffer.write(bytes(range(256)) * 9); sys.exit(1)
if fault == "HUGE": sys.stdout.write("x" * 10_000_000); sys.exit(1)
with open({log!r}, "a") as log: log.write(json.dumps(json.load(sys.stdin)) + "\\n")
print("flown")
"""


@contextlib.contextmanager
def exec_(folder: Path) -> Iterator[Bench]:
    fault_file, log = folder / "fault", folder / "log"
    fault_file.write_text("")
    log.write_text("")

    def to(program: str, timeout_s: float) -> str:
        code = _COMMAND.format(fault=str(fault_file), log=str(log))
        return json.dumps({"command": [program, "-c", code], "timeout_s": timeout_s})

    class Hurried:
        """The time limit is in the address."""

        def send(self, message: Any, address: str) -> str:
            return Exec().send(message, json.dumps(json.loads(address) | {"timeout_s": 0.5}))

    yield Bench(
        notifier=Exec(),
        hurried=Hurried(),
        address=to(sys.executable, 10),
        nowhere=to(f"{folder}/gone", 10),
        secrets=("SecretOfTheEnvironment",),
        fail=lambda fault: (fault_file.write_text(fault.name), None)[1],
        received=lambda: [_shown(json.loads(line)) for line in log.read_text().splitlines()],
        objections=list,
    )


BENCHES = {
    "apprise": apprise, "exec": exec_, "mail": mail, "slack": slack, "slack-bot": slack_bot, "teams": teams,
    "webhook": webhook,
}  # fmt: skip
