"""The registry: what a package brings works as ours do, and what is wrong with it costs nothing else."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from graphitepager import notifiers
from graphitepager.config.notifying import NotifierKeys
from graphitepager.config.urls import SecretUrl
from graphitepager.errors import SendError, describe_bug
from graphitepager.notifiers import Kind
from graphitepager.notifiers.stdout import Stdout
from graphitepager.rules import Route
from tests.integration.pagerduty.support import message
from tests.unit.config_support import ENVIRON, alert_with, file_with, headlines, load

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keys(NotifierKeys):
    """A room."""

    room: SecretUrl

    def address(self) -> str:
        return self.room

    def secrets(self) -> list[str]:
        return ["hidden"]


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """An installed package with three entry points, two of which are no good."""
    module = ModuleType("house_chat")
    module.__dict__["KIND"] = Kind(keys=Keys, make=lambda _: Stdout(sys.stdout), rate_per_minute=7)
    module.__dict__["NONE"] = "something else"
    monkeypatch.setitem(sys.modules, "house_chat", module)
    names = {"chat": "house_chat:KIND", "odd": "house_chat:NONE", "gone": "no_such_module:KIND"}
    points = [metadata.EntryPoint(name, value, notifiers.ENTRY_POINTS) for name, value in names.items()]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points if group == notifiers.ENTRY_POINTS else [])
    notifiers.kind.cache_clear()
    notifiers._entry_points.cache_clear()
    yield module
    notifiers.kind.cache_clear()
    notifiers._entry_points.cache_clear()


def with_chat(keys: str) -> str:
    return file_with(alert_with("notify: room"), top=f"notifiers: {{room: {{type: chat{keys}}}}}")


def test_its_keys_are_checked_and_its_secrets_are_known() -> None:
    config = load(with_chat(", room: https://chat.example.com/1"), ENVIRON, source="alerts.yml").config
    assert config is not None
    assert config.settings.notifiers == {"room": Route("chat", "https://chat.example.com/1")}
    assert config.settings.notifier_secrets == ("hidden",)
    assert headlines(with_chat("")) == ["alerts.yml:1:19: notifiers.room: room is missing (chat needs it)"]
    assert "unknown key 'rom' (did you mean room?)" in headlines(with_chat(", rom: x, room: https://c.example.com"))[0]


def test_it_has_its_rate_and_sends() -> None:
    assert notifiers.rate_per_minute("chat") == 7
    assert isinstance(notifiers.load("chat", None), Stdout)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "why"), [("odd", "names no Kind"), ("gone", "No module named 'no_such_module'")])
def test_one_that_is_no_good_says_so_and_takes_nobody_with_it(name: str, why: str) -> None:
    with pytest.raises(SendError, match=why):
        notifiers.kind(name)
    assert notifiers.rate_per_minute(name) is None
    text = file_with(alert_with("notify: room"), top=f"notifiers: {{room: {{type: {name}}}}}")
    [headline] = headlines(text)
    assert why in headline
    assert headlines(file_with(alert_with("from: -1min"))) == []


def test_the_example_of_the_documentation_is_one(package: ModuleType) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-notifier.md"
    code = page.read_text().partition("```python\n")[2].partition("```\n")[0]
    package.__dict__["__name__"] = "house_chat"
    exec(compile(code, str(page), "exec"), package.__dict__)  # noqa: S102 - our own page
    text = file_with(alert_with("notify: room"), top="notifiers: {room: {type: chat, url: https://c.example.com/1}}")
    assert headlines(text) == []
    with pytest.raises(SendError, match="gave no answer"):
        notifiers.load("chat", None).send(message(), "http://127.0.0.1:9/secret")  # type: ignore[arg-type]


def test_nothing_of_ours_can_be_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("stdout", "house_chat:KIND", notifiers.ENTRY_POINTS)
    monkeypatch.setattr(metadata, "entry_points", lambda **_: [point])
    notifiers._entry_points.cache_clear()
    assert notifiers.kind("stdout").keys is not Keys


def test_a_bug_is_told_on_one_line() -> None:
    assert describe_bug(ValueError("boom\n  and more")) == "ValueError: boom and more (?)"
