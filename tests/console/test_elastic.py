"""The writer that never blocks, and that what it needs of Textual is still as it was."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

import pytest
import textual
from textual.app import App
from textual.driver import Driver
from textual.drivers._writer_thread import WriterThread
from textual.message import Message

from whatsself_tui.console.elastic import (
    MAX_FRAMES_AHEAD,
    WRITTEN_FOR,
    ElasticApp,
    ElasticDriver,
    ElasticWriter,
    TerminalCaughtUp,
    TerminalLost,
)

#: More than any operating system keeps for a pipe that nobody reads.
FLOOD = "x" * 1_000_000


class Listener:
    """Stands in for the app: takes the writer's messages."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.arrived = threading.Event()

    def post_message(self, message: Message) -> bool:
        self.messages.append(message)
        self.arrived.set()
        return True


class Pipe:
    """A terminal of which the test is the reader."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.reading_end, writing_end = os.pipe()
        self.file: TextIO = open(writing_end, "w", encoding="utf-8")  # noqa: SIM115 - closed by `close`
        self.writer = ElasticWriter(self.file, cast(App[int], self.listener))
        self.writer.start()

    def frame(self, text: str) -> bool:
        """Offer a frame as the app does; whether it was taken."""
        taken = self.writer.begin_frame()
        if taken:
            self.writer.write(text)
            self.writer.end_frame()
        return taken

    def read(self, count: int) -> str:
        """Exactly `count` bytes."""
        data = b""
        while len(data) < count:
            data += os.read(self.reading_end, count - len(data))
        return data.decode()

    def close_reading_end(self) -> None:
        if self.reading_end >= 0:
            os.close(self.reading_end)
            self.reading_end = -1

    def close(self) -> None:
        self.close_reading_end()
        self.writer.stop()
        self.writer.join()
        self.file.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_everything_written_arrives_in_order(pipe: Pipe) -> None:
    for word in ("one ", "two ", "três"):
        pipe.writer.write(word)
    assert pipe.read(len("one two três".encode())) == "one two três"


def test_writing_returns_while_nobody_reads_and_frames_stop_at_the_limit(pipe: Pipe) -> None:
    taken = [pipe.frame(FLOOD) for _ in range(100)]
    assert taken == [True] * MAX_FRAMES_AHEAD + [False] * (100 - MAX_FRAMES_AHEAD)
    pipe.writer.write("\x07")  # what is no frame is always taken


def test_a_reader_that_comes_back_gets_the_frames_taken_then_one_call_for_a_repaint(pipe: Pipe) -> None:
    for _ in range(MAX_FRAMES_AHEAD + 5):
        pipe.frame(FLOOD)
    for _ in range(MAX_FRAMES_AHEAD):
        assert pipe.read(len(FLOOD)) == FLOOD
    assert pipe.listener.arrived.wait(timeout=30)
    assert [type(message) for message in pipe.listener.messages] == [TerminalCaughtUp]
    assert pipe.frame("fresh")
    assert pipe.read(5) == "fresh"
    assert len(pipe.listener.messages) == 1


def test_empty_frames_do_not_count(pipe: Pipe) -> None:
    pipe.writer.write(FLOOD)
    for _ in range(MAX_FRAMES_AHEAD * 2):
        assert pipe.writer.begin_frame()
        pipe.writer.end_frame()


def test_stopping_does_not_wait_for_a_terminal_that_does_not_read(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whatsself_tui.console.elastic.STOP_WAIT_S", 0.01)
    pipe.frame(FLOOD)
    pipe.frame(FLOOD)
    pipe.writer.stop()
    pipe.writer.write("late")
    pipe.close_reading_end()
    pipe.writer.join(timeout=30)
    assert not pipe.writer.is_alive()


def test_stopping_writes_what_restores_the_terminal_before_it_ends(pipe: Pipe) -> None:
    pipe.writer.write("leave the alternate screen")
    pipe.writer.stop()
    assert pipe.read(len("leave the alternate screen")) == "leave the alternate screen"
    assert not pipe.writer.is_alive()


def test_a_terminal_that_is_gone_is_told_once_and_swallows_the_rest(pipe: Pipe) -> None:
    pipe.close_reading_end()
    pipe.writer.write("anybody?")
    pipe.writer.join(timeout=30)
    pipe.writer.write("nobody.")
    assert [type(message) for message in pipe.listener.messages] == [TerminalLost]


@pytest.mark.skipif(os.name == "nt", reason="descriptors are not made non-blocking there")
def test_a_terminal_made_non_blocking_by_another_process_gets_everything(pipe: Pipe) -> None:
    os.set_blocking(pipe.file.fileno(), False)
    pipe.writer.write(FLOOD)
    assert pipe.read(len(FLOOD)) == FLOOD


async def test_a_fault_ends_the_app_without_showing_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    class Faulty(ElasticApp):
        def on_mount(self) -> None:
            secret = "5511999990001"
            raise ValueError(f"cannot use {secret}")

    app = Faulty()
    with pytest.raises(ValueError, match="cannot use"):
        async with app.run_test():
            await asyncio.sleep(0)
    printed = capsys.readouterr()
    assert "ValueError" in printed.err
    assert "5511999990001" not in printed.err + printed.out
    assert app.return_code == 1


class TestTextualIsAsItWas:
    """Fails when a new Textual has to be looked at, before an operator notices."""

    def test_version(self) -> None:
        assert textual.__version__ == WRITTEN_FOR

    def test_the_writer_is_made_and_stopped_where_we_replace_it(self) -> None:
        for driver in ("linux_driver", "windows_driver"):
            source = _source(driver)
            assert source.count("WriterThread(") == 1, driver
            assert "self._writer_thread = WriterThread(self._file)\n        self._writer_thread.start()" in source
            assert "self._writer_thread.write(data)" in source
            assert "self._writer_thread.stop()" in source
            uses = {line.strip() for line in source.splitlines() if "_writer_thread" in line}
            assert uses == {
                "from textual.drivers._writer_thread import WriterThread",
                "self._writer_thread: WriterThread | None = None",
                'assert self._writer_thread is not None, "Driver must be in application mode"',
                "self._writer_thread.write(data)",
                "self._writer_thread = WriterThread(self._file)",
                "self._writer_thread.start()",
                "if self._writer_thread is not None:",
                "self._writer_thread.stop()",
            }

    def test_the_writer_has_no_method_that_we_do_not_know(self) -> None:
        own = {name for name in vars(WriterThread) if not name.startswith("__")}
        assert own == {"write", "isatty", "fileno", "flush", "run", "stop"}

    def test_frames_pass_one_place(self) -> None:
        assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
        assert "self.post_display_hook()" in inspect.getsource(App._display)

    def test_a_refresh_of_the_screen_is_a_full_repaint(self) -> None:
        from textual._compositor import Compositor

        source = inspect.getsource(Compositor.render_update)
        assert "if full or screen_region in self._dirty_regions:" in source

    def test_faults_are_shown_in_one_place(self) -> None:
        assert "self._fatal_error()" in inspect.getsource(App._handle_exception)
        assert "show_locals=True" in inspect.getsource(App._fatal_error)

    def test_the_app_uses_the_elastic_driver(self) -> None:
        assert issubclass(ElasticDriver, Driver)
        assert ElasticApp().get_driver_class() is ElasticDriver


def _source(driver: str) -> str:
    spec = importlib.util.find_spec("textual.drivers")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return (Path(spec.submodule_search_locations[0]) / f"{driver}.py").read_text(encoding="utf-8")
