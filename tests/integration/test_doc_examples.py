"""Examples that are no command lines: the notifier of the how-to sends, and documents have the shape that is shown."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager.errors import SendError
from graphitepager.rules import Settings
from graphitepager.samples import samples
from tests.documented import COMMANDS, DOCS, PAGES, all_blocks
from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty.door import Answer, Door
from tests.integration.pager_process import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.pagerduty.door import Request


def test_the_notifier_of_the_how_to_sends_and_says_what_went_wrong() -> None:
    [text] = [block.text for block in all_blocks(DOCS / "how-to" / "add-a-notifier.md") if block.kind == "python"]
    module: dict[str, Any] = {"__name__": "documented"}
    exec(compile(text, "add-a-notifier.md", "exec"), module)  # noqa: S102 - it is our own documentation
    answers = [Answer(200), Answer(500, body=b"<h1>no</h1>")]
    requests: list[Request] = []

    def respond_in_turn(request: Request) -> Answer:
        requests.append(request)
        return answers.pop(0)

    chat = module["KIND"].make(Settings(graphite_url=""))
    _, message = next(samples(datetime(2026, 1, 15, tzinfo=UTC), "https://graphite.example.com", None))
    door = Door(0, respond_in_turn)
    try:
        address = f"http://127.0.0.1:{door.port}/room-of-the-house"
        assert chat.send(message, address) == "200"
        assert requests[0].body == message.summary.encode()
        with pytest.raises(SendError) as raised:
            chat.send(message, address)
        assert "500" in raised.value.reason
        assert "room-of-the-house" not in raised.value.reason
    finally:
        door.close()


def test_a_script_is_one_that_a_shell_can_read() -> None:
    blocks = [block for page in PAGES for block in all_blocks(page) if block.kind == COMMANDS]
    scripts = [block for block in blocks if block.text.startswith("#!")]
    assert scripts
    for block in scripts:
        done = subprocess.run(["sh", "-n"], input=block.text, capture_output=True, text=True, check=False)  # noqa: S607 - any
        assert done.returncode == 0, f"{block.place}: {done.stderr}"


def test_what_check_prints_as_json_has_the_shape_that_is_shown(tmp_path: Path) -> None:
    [shown] = [
        json.loads(block.text)
        for block in all_blocks(DOCS / "reference" / "commands.md")
        if block.kind == "json" and block.section == "`check`"
    ]
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: a.b, warning: 50, critical: 70}]\n")
    now = int(time.time()) // 10 * 10
    with FakeGraphite().serve() as graphite:
        graphite.default = respond(f"db1,{now - 60},{now},10|{','.join(['5.0'] * 6)}\n".encode())
        done = run("check", "--json", environment={"GRAPHITE_URL": graphite.url}, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert _shape(json.loads(done.stdout)) == _shape(shown)


def _shape(document: object) -> object:
    """Its keys and the kinds of its values; of a list, those of its first item."""
    if isinstance(document, dict):
        return {key: _shape(value) for key, value in document.items()}
    if isinstance(document, list):
        return [_shape(one) for one in document[:1]]
    return type(document).__name__
