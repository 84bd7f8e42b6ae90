"""What one notifier does and the others do not: threads, signatures, encryption, and what a program gets to see."""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from graphitepager.errors import SendError
from graphitepager.model import EventKind, Image, Link, Message
from graphitepager.notifiers import NOTIFIERS
from graphitepager.notifiers.exec import Exec
from graphitepager.notifiers.mail import Mail
from graphitepager.notifiers.payload import payload
from graphitepager.notifiers.slack import Slack
from graphitepager.notifiers.teams import Teams
from graphitepager.notifiers.webhook import Webhook
from tests.fakes import receivers
from tests.fakes.mail import FakeMail
from tests.fakes.pagerduty import assert_no_secret
from tests.fakes.pagerduty.door import Answer
from tests.fakes.receivers import SIGNING_KEY, TOKEN, Fault
from tests.integration.notifier_benches import BENCHES
from tests.integration.pagerduty.support import NOON, message
from tests.integration.test_notifiers import SAMPLES
from tests.support import certificate_for_loopback, eventually, is_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

BOT = json.dumps({"token": TOKEN, "channel": "#ops"})
CHART = Image("https://ops.example.com/charts/abc.png", "MongoDB lock: db1")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "webhook.schema.json").read_text())


@pytest.fixture
def slack_api() -> Iterator[receivers.Receiver]:
    with receivers.slack_api() as api:
        yield api
        assert api.objections == []


def test_what_follows_a_trigger_is_posted_into_its_thread(slack_api: receivers.Receiver) -> None:
    slack = Slack(slack_api.url)
    answer = slack.send(message(), BOT)
    slack.send(message(EventKind.REPEATED, in_reply_to=answer), BOT)
    slack.send(message(EventKind.RESOLVED, in_reply_to=answer), BOT)
    trigger, repeat, resolve = slack_api.received
    assert (trigger["channel"], "thread_ts" in trigger) == ("#ops", False)
    assert (repeat["channel"], repeat["thread_ts"], "reply_broadcast" in repeat) == ("C0123", answer.split()[-1], False)
    assert (resolve["thread_ts"], resolve["reply_broadcast"]) == (answer.split()[-1], True)


@pytest.mark.parametrize(
    ("word", "permanent", "invalid", "throttled"),
    [
        ("channel_not_found", True, False, False),
        ("invalid_auth", True, False, False),
        ("something_new", True, False, False),
        ("invalid_blocks", True, True, False),
        ("thread_not_found", True, True, False),
        ("msg_too_long", True, True, False),
        ("ratelimited", False, False, True),
        ("internal_error", False, False, False),
        ("", False, False, False),
    ],
)
def test_slacks_words_say_whether_it_can_ever_succeed(
    slack_api: receivers.Receiver, word: str, *, permanent: bool, invalid: bool, throttled: bool
) -> None:
    slack_api.fault = Answer.of_json(200, {"ok": False, "error": word})
    with pytest.raises(SendError) as caught:
        Slack(slack_api.url).send(message(), BOT)
    error = caught.value
    assert (error.permanent, error.is_invalid, error.is_throttled) == (permanent, invalid, throttled)
    assert word in error.reason


def test_the_chart_of_a_message_is_a_block_of_its_own(slack_api: receivers.Receiver) -> None:
    Slack(slack_api.url).send(message(image=CHART), BOT)
    (posted,) = slack_api.received
    assert posted["blocks"][-1] == {"type": "image", "image_url": CHART.src, "alt_text": "MongoDB lock: db1"}


def test_slack_gets_the_whole_message_without_the_chart_that_it_cannot_fetch() -> None:
    with receivers.slack_api() as api:
        api.fault = Answer.of_json(200, {"ok": False, "error": "invalid_blocks"})
        assert Slack(api.url).send(message(image=CHART), BOT).startswith("200 ok")
        assert len(api.requests) == 2
        (posted,) = api.received
        assert {block["type"] for block in posted["blocks"]} == {"section"}
        assert "MongoDB lock" in posted["text"]


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"", b"no_service", b'{"ok": true}'])
def test_a_page_in_place_of_slacks_ok_is_no_yes(body: bytes) -> None:
    with receivers.slack() as fake:
        fake.fault = Answer(200, body=body)
        with pytest.raises(SendError):
            Slack().send(message(), fake.url)


def test_a_webhooks_id_is_the_same_at_each_attempt_and_another_for_another_message() -> None:
    with receivers.webhook() as fake:
        address = json.dumps({"url": fake.url, "secret": f"whsec_{SIGNING_KEY}"})
        fake.fault = Fault.SERVER_ERROR
        with pytest.raises(SendError):
            Webhook().send(message(), address)
        for one in (message(), message(EventKind.REPEATED), message(EventKind.REPEATED, at=NOON.replace(hour=13))):
            Webhook().send(one, address)
        ids = [request.headers["webhook-id"] for request in fake.requests]
        assert ids[0] == ids[1]
        assert len(set(ids)) == 3
        assert fake.objections == []


@pytest.mark.parametrize("name", ["slack", "teams", "webhook"])
@pytest.mark.parametrize("said", ["Cannot POST {path}", "no such path: {path!r}", "token {last} is unknown"])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_server_that_quotes_the_path_gives_no_secret_away(name: str, said: str, status: int) -> None:
    with getattr(receivers, name)() as fake:
        path = fake.url.partition("/T")[1] + fake.url.partition("/T")[2]
        body = said.format(path=path, last=path.rpartition("/")[2])
        fake.fault = Answer(status, body=body.encode())
        notifier, address = {
            "slack": (Slack(), fake.url),
            "teams": (Teams(), fake.url),
            "webhook": (Webhook(), json.dumps({"url": fake.url, "secret": None})),
        }[name]
        try:
            shown = notifier.send(message(), address)  # type: ignore[attr-defined]
        except SendError as error:
            shown = error.reason
        assert "(secret)" in shown
        assert_no_secret(shown, ["SecretPathOfAnAddress", "SecretSignature"])


def test_a_card_with_long_links_is_as_small_as_teams_takes_it() -> None:
    links = [Link("https://graphite.example.com/render?target=" + "x" * 20_000, name) for name in ("Runbook", "Graph")]
    links.append(Link("https://wiki.example.com/" + "ß" * 200, "Wiki"))
    with receivers.teams() as fake:
        Teams().send(message(links=tuple(links), details={"target": "x" * 60_000}), fake.url)
        assert fake.objections == []
        [body] = fake.received
        [card] = [each["content"] for each in body["attachments"]]
        assert [action["title"] for action in card["actions"]] == ["Wiki"]


def test_a_webhook_does_not_follow_a_redirect() -> None:
    with receivers.webhook() as fake:
        fake.fault = Answer(307, (("Location", fake.url),))
        with pytest.raises(SendError, match="307") as caught:
            Webhook().send(message(), json.dumps({"url": fake.url, "secret": None}))
        assert (caught.value.permanent, caught.value.may_pass, len(fake.requests)) == (True, True, 1)


@pytest.mark.parametrize("sample", [*SAMPLES.values(), replace(message(), details={"x": None}, series="\udce9")])
def test_the_json_is_what_its_schema_says(sample: Message) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(payload(sample)))


class TestMail:
    """Encryption, threads and recipients."""

    def address(self, fake: FakeMail, server: str = "smtp://127.0.0.1") -> str:
        people = {"from": "pager@example.com", "to": ["ops@example.com", "dba@example.com"]}
        return json.dumps({"server": f"{server}:{fake.port}", **people})

    def test_an_incident_is_one_thread_and_the_next_one_another(self) -> None:
        with FakeMail() as fake:
            later = NOON.replace(hour=15)
            for one in (
                message(since=NOON),
                message(EventKind.REPEATED, since=NOON, at=later),
                message(EventKind.RESOLVED, since=NOON, at=later),
                message(since=later),
            ):
                Mail().send(one, self.address(fake))
            first, repeat, resolve, second = fake.received
        assert [mail["In-Reply-To"] for mail in fake.received] == [None, first["Message-ID"], first["Message-ID"], None]
        assert repeat["References"] == first["Message-ID"]
        assert len({mail["Message-ID"] for mail in (first, repeat, resolve, second)}) == 4
        assert fake.recipients[0] == ["ops@example.com", "dba@example.com"]

    @pytest.mark.parametrize("scheme", ["smtp", "smtps"])
    def test_mail_travels_encrypted_to_a_server_that_is_who_it_says(self, scheme: str, tmp_path: Path) -> None:
        server, client = _certificate(tmp_path)
        with FakeMail(server, is_tls=scheme == "smtps") as fake:
            Mail(context=client).send(message(), self.address(fake, f"{scheme}://localhost"))
            assert fake.was_encrypted == [True]
            with pytest.raises(SendError, match="certificate") as caught:
                Mail().send(message(), self.address(fake, f"{scheme}://localhost"))
            assert (caught.value.permanent, len(fake.received)) == (True, 1)


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Both sides of TLS to localhost."""
    certificate, key = certificate_for_loopback(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


class TestExec:
    """What a command gets to see, and what is left of it."""

    def send(self, code: str, timeout_s: float = 10.0) -> str:
        address = json.dumps({"command": [sys.executable, "-c", code], "timeout_s": timeout_s})
        return Exec().send(message(), address)

    def test_it_sees_no_secret_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PAGERDUTY_KEY", "hunter2")
        monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db/x")
        assert "hunter2" not in self.send("import os; print(dict(os.environ))")
        assert os.environ["PATH"][:10] in self.send("import os; print(os.environ['PATH'])")

    def test_its_children_are_killed_with_it(self, tmp_path: Path) -> None:
        mark = tmp_path / "pid"
        code = (
            "import subprocess, sys, time\n"
            f"child = subprocess.Popen(['sleep', '60']); open({str(mark)!r}, 'w').write(str(child.pid)); time.sleep(60)"
        )
        with pytest.raises(SendError, match=r"was killed after 0\.7 s"):
            self.send(code, 0.7)
        assert eventually(lambda: is_gone(int(mark.read_text())))

    def test_one_that_leaves_something_running_is_not_waited_for(self) -> None:
        begun = time.monotonic()
        code = "import subprocess; subprocess.Popen(['sleep', '3']); print('done')"
        assert self.send(code) == "exit code 0: done"
        assert time.monotonic() - begun < 2

    def test_one_that_does_not_read_is_no_failure(self) -> None:
        assert self.send("pass") == "exit code 0"

    def test_one_that_is_not_there_is_permanent_but_may_pass(self) -> None:
        with pytest.raises(SendError, match="cannot be run: No such file") as caught:
            Exec().send(message(), json.dumps({"command": ["/no/such"], "timeout_s": 1}))
        assert (caught.value.permanent, caught.value.may_pass) == (True, True)


def test_every_new_notifier_has_its_bench() -> None:
    assert set(NOTIFIERS) - {"pagerduty", "stdout"} <= set(BENCHES)
