"""What the demo and the playground show: lines on a terminal, and what people on call would see."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tests.fakes.pagerduty import Effect

if TYPE_CHECKING:
    from tests.fakes.pagerduty import Event

_STYLES = {"demo": "bold", "Graphite": "cyan", "pager": "dim", "PagerDuty": "bold magenta"}

_WIDTH = 9


class Screen:
    """Lines on the terminal, each behind the name of who speaks."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._lock = threading.Lock()

    def say(self, who: str, text: str, style: str = "") -> None:
        with self._lock:
            self._console.print(Text.assemble((f"{who:>{_WIDTH}} ", _STYLES[who]), ("│ ", "dim"), (text, style)))


class Incidents:
    """Shows what PagerDuty's people on call would see, and remembers whether the story is over."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._opened_at: dict[str, float] = {}
        self.opened = threading.Event()
        self.over = threading.Event()

    def show(self, event: Event) -> None:
        if event.effect is Effect.OPENED:
            self._opened_at[event.dedup_key] = time.monotonic()
            details = event.payload["custom_details"]
            say = self._screen.say
            say("PagerDuty", f"INCIDENT OPENED  {event.payload['summary']}", "bold red")
            say("PagerDuty", f"  severity  {event.payload['severity']}")
            say(
                "PagerDuty",
                f"  value     {details['value']:.1f} (warning {details['warning']}, critical {details['critical']})",
            )
            for link in event.body["links"]:
                say("PagerDuty", f"  {link['text'].lower():9} {link['href']}")
            self.opened.set()
        elif event.effect is Effect.RESOLVED:
            seconds = time.monotonic() - self._opened_at[event.dedup_key]
            self._screen.say("PagerDuty", f"INCIDENT RESOLVED after {seconds:.0f} s", "bold green")
            self.over.set()
