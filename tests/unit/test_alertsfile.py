"""alerts.yml as it changes: what counts as a change, what a bad one does, what it falls back to."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from graphitepager.alertsfile import AlertsFile
from graphitepager.errors import ConfigError, PagerError
from graphitepager.problems import ENVIRONMENT, Problem
from graphitepager.records import KeptConfig
from graphitepager.rules import Config
from tests.examples import alert, settings

PATH = "conf/alerts.yml"


class Disk:
    """A file whose text is the name of its one alert; `bad` is a broken text, None a missing file."""

    def __init__(self, text: str | None = "one") -> None:
        self.text = text
        self.is_environment_sound = True
        self.last_good: KeptConfig | None = None

    def open(self) -> AlertsFile:
        return AlertsFile(PATH, read=self._read, load=self._load, last_good=lambda: self.last_good)

    def _read(self) -> str:
        if self.text is None:
            raise PagerError(f"{PATH}: no such file")
        return self.text

    def _load(self, text: str, source: str) -> Config:
        if text == "bug":
            raise KeyError(text)
        if not self.is_environment_sound:
            raise ConfigError([Problem(source=ENVIRONMENT, message="GRAPHITE_URL is not set")])
        if "bad" in text:
            unknown = Problem(source=source, line=1, message="unknown key", is_error=False)
            errors = [Problem(source=source, line=line, column=3, message="no number") for line in (7, 8, 9)]
            raise ConfigError([unknown, *errors])
        return Config(settings=settings(), alerts=(alert(name=text),))


def name_of(file: AlertsFile) -> str:
    return file.config.alerts[0].name


def trouble_of(file: AlertsFile) -> str | None:
    return file.trouble


def test_a_file_that_stays_as_it_is_has_not_changed() -> None:
    disk = Disk()
    file = disk.open()
    assert not file.has_changed()
    disk.text = "two"
    assert file.has_changed()


def test_a_change_that_has_settled_is_loaded() -> None:
    disk = Disk()
    file = disk.open()
    disk.text = "two"
    with capture_logs() as lines:
        assert file.reload()
    assert (name_of(file), file.kept) == ("two", KeptConfig(PATH, "two"))
    assert [line["event"] for line in lines] == ["config_loaded"]
    assert not file.has_changed()


def test_a_change_that_is_still_being_written_waits() -> None:
    disk = Disk()
    file = disk.open()
    disk.text = "tw"

    def write_on() -> bool:
        disk.text = "two"
        return True

    assert not file.reload(write_on)
    assert name_of(file) == "one"
    assert file.has_changed()
    assert file.reload()
    assert name_of(file) == "two"


def test_a_bad_file_changes_nothing_and_is_told_once() -> None:
    disk = Disk()
    file = disk.open()
    disk.text = "bad"
    with capture_logs() as lines:
        assert not file.reload()
    assert [line["event"] for line in lines] == ["config_rejected"] * 4 + ["config_kept"]
    assert trouble_of(file) == f"{PATH}:7:3: no number, and 2 more"
    assert (name_of(file), file.kept) == ("one", KeptConfig(PATH, "one"))
    assert not file.has_changed()


def test_a_bug_that_a_file_brings_out_is_a_trouble_like_any_other() -> None:
    disk = Disk()
    file = disk.open()
    disk.text = "bug"
    assert not file.reload()
    assert (name_of(file), trouble_of(file)) == ("one", f"{PATH}: internal error, please report it: KeyError")


@pytest.mark.parametrize("text", ["one", "two"])
def test_the_trouble_is_over_when_the_file_is_good_again(text: str) -> None:
    disk = Disk()
    file = disk.open()
    disk.text = None
    file.reload()
    assert trouble_of(file) == f"{PATH}: no such file"
    disk.text = text
    assert file.has_changed()
    assert file.reload()
    assert trouble_of(file) is None
    assert name_of(file) == text


def test_a_start_with_a_bad_file_runs_the_last_good_one() -> None:
    disk = Disk("bad")
    disk.last_good = KeptConfig(PATH, "one")
    with capture_logs() as lines:
        file = disk.open()
    assert (name_of(file), file.kept) == ("one", disk.last_good)
    assert trouble_of(file) == f"{PATH}:7:3: no number, and 2 more"
    assert lines[-1]["reason"] == "the last good configuration, which the database keeps, runs instead"
    assert not file.has_changed()
    disk.text = "one"
    assert file.reload()
    assert trouble_of(file) is None


def test_a_start_with_a_bad_file_and_nothing_to_fall_back_to_fails() -> None:
    with pytest.raises(ConfigError, match="no number"):
        Disk("bad").open()


def test_a_start_with_a_bad_environment_fails_with_what_is_wrong() -> None:
    disk = Disk()
    disk.last_good = KeptConfig(PATH, "one")
    disk.is_environment_sound = False
    with pytest.raises(ConfigError, match="GRAPHITE_URL is not set"):
        disk.open()
