"""The log's lines go where the add-on that takes Lifeline in has them go."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from tests.python.test_own_files import module

log, options = module("log"), module("options")


class Kept(logging.Handler):
    """What has come, by which name."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, record.getMessage()))


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[logging.Logger | str], None]]:
    """Let the log out by this one."""

    def begin(logger: logging.Logger | str) -> None:
        monkeypatch.setattr(options, "current", options.Options(logger=logger))
        log.register()

    yield begin
    log.unregister()


def test_to_a_logger_of_theirs_under_its_name_and_level(
    choose: Callable[[logging.Logger | str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    kept = Kept()
    theirs = logging.Logger("their.addon", logging.WARNING)
    theirs.addHandler(kept)
    choose(theirs)
    log.logger.info("not worth it")
    log.logger.warning("the server is %s", "lost")
    assert kept.lines == [("their.addon", "the server is lost")]
    log.unregister()
    log.logger.warning("nobody listens")
    assert len(kept.lines) == 1
    assert (theirs.handlers, log.logger.handlers) == ([kept], [])
    assert capfd.readouterr().out == ""


def test_a_name_is_one_whose_lines_are_written_out(
    choose: Callable[[logging.Logger | str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    choose("their.name")
    log.logger.info("ours")
    logging.getLogger("their.name").info("theirs")
    log.unregister()
    assert capfd.readouterr().out.splitlines() == ["[INFO] ours", "[INFO] theirs"]
    assert logging.getLogger("their.name").handlers == []
