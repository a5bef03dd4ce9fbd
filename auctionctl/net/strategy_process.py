"""A strategy as another process, in whatever language: started, asked over pipes, and ended with all that it started.

Rule: no call waits for it. Pipes do not block; a process that ends, floods or hangs is ended for good with all that it
started, and another is begun, more slowly each time; meanwhile there is no bid. It runs with the rights of whoever runs
the bidder, in a session of its own, so that no key of the terminal reaches it; nor does what it writes to stderr reach
the terminal by itself. What has left its process group lives on: no portable way finds it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from auctionctl.bidding.dialogue import Dialogue
from auctionctl.errors import ConfigurationError
from auctionctl.net.backoff import Backoff
from auctionctl.net.remarks import Remarks

READ_BYTES: Final = 65_536
"""What is read at one turn, at most: a flood does not keep us from the house."""
END_PATIENCE_S: Final = 0.3
"""How long a process has after SIGTERM, at the end of everything."""


class StrategyProcess:
    """``command`` and its successors, who answer ``dialogue``. ``complain`` is told of every death, in a line.

    ``remark`` is told what they write to stderr, line by line, as it is.
    """

    def __init__(
        self,
        command: Sequence[str],
        dialogue: Dialogue,
        complain: Callable[[str], None],
        remark: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts it. Raises ConfigurationError if it cannot be started at all."""
        self.look_again: Callable[[bytes], None] = dialogue.forget
        """Whom to tell that an auction should be looked at again; nobody as yet."""
        self._command = command
        self._dialogue = dialogue
        self._complain = complain
        self._remarks = Remarks(remark)
        self._clock = clock
        self._backoff = Backoff()
        self._process: subprocess.Popen[bytes] | None = None
        self._outgoing = b""
        self._started_s = 0.0
        self._start_at_s = 0.0
        try:
            self._start()
        except OSError as error:
            raise ConfigurationError(
                f"cannot run {command[0]!a}: {(error.strerror or str(error)).lower()}",
                hint="exec: takes a program and its arguments, as in 'exec:python3 mine.py'",
            ) from error

    def descriptors(self) -> tuple[int, ...]:
        """What to wait for besides the house: something to read there."""
        process = self._process
        if process is None:
            return ()
        return tuple(pipe.fileno() for pipe in (process.stdout, process.stderr) if pipe is not None and not pipe.closed)

    def turn(self) -> None:
        """Write what is asked, read what is answered, begin anew what has ended. Never waits."""
        if self._process is None and self._clock() >= self._start_at_s:
            self._start_again()
        if self._process is not None:
            self._write()
            self._listen()
            self._read()
        if self._process is not None and self._dialogue.is_hopeless:
            self._lose("it answers nothing that was asked, or nothing at all")
        for auction in self._dialogue.take_ready():
            self.look_again(auction)

    def close(self) -> None:
        """End it, and all that it started: politely first, and then for good."""
        if self._process is None:
            return
        self._listen()
        process, self._process = self._process, None
        self._dialogue.went_down()
        _signal_group(process, signal.SIGTERM)
        deadline_s = time.monotonic() + END_PATIENCE_S
        # It is not reaped before its group has been ended: until then its number is nobody else's.
        while time.monotonic() < deadline_s and not _has_ended(process):
            time.sleep(0.005)
        self._reap(process)

    # Inside

    def _start(self) -> None:
        process = subprocess.Popen(  # noqa: S603 - it is what the person at the keyboard asked for, and no shell's
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
        self._process = process
        self._outgoing = b""
        self._started_s = self._clock()
        self._dialogue.came_up()

    def _start_again(self) -> None:
        try:
            self._start()
        except OSError as error:
            self._put_off(f"it cannot be started: {(error.strerror or str(error)).lower()}", 0.0)

    def _write(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        while True:
            self._outgoing = self._outgoing or self._dialogue.next_line() or b""
            if not self._outgoing:
                return
            try:
                with _deaf_to_sigpipe():
                    written = os.write(self._process.stdin.fileno(), self._outgoing)
            except BlockingIOError:
                return
            except BrokenPipeError:
                self._outgoing = b""  # Its end is found where its answers are read.
                return
            self._outgoing = self._outgoing[written:]

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            data = os.read(self._process.stdout.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._dialogue.receive(data)
        else:
            self._lose("it has ended")

    def _listen(self) -> None:
        """What it has written on the side, as far as it is there."""
        assert self._process is not None
        pipe = self._process.stderr
        assert pipe is not None
        if pipe.closed:
            return
        try:
            data = os.read(pipe.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._remarks.receive(data, self._clock())
        else:
            pipe.close()

    def _lose(self, reason: str) -> None:
        self._listen()  # Its last words say why.
        process, self._process = self._process, None
        assert process is not None
        self._dialogue.went_down()
        status = process.poll()
        self._reap(process)
        how = "" if status is None else f" (exit status {status})" if status >= 0 else f" (signal {-status})"
        self._put_off(reason + how, self._clock() - self._started_s)

    def _put_off(self, reason: str, lived_s: float) -> None:
        wait_s = self._backoff.died(lived_s)
        self._start_at_s = self._clock() + wait_s
        again = f"in {wait_s:g} s" if wait_s else "at once"
        self._complain(f"{reason}, and is started again {again}")

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        _signal_group(process, signal.SIGKILL)
        process.wait()
        self._remarks.end(self._clock())
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


@contextmanager
def _deaf_to_sigpipe() -> Iterator[None]:
    """Client commands die of SIGPIPE as others do, but not of a strategy that is gone."""
    before = signal.getsignal(signal.SIGPIPE)
    if before is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether its output has come to an end, which is as much as can be told without reaping it."""
    assert process.stdout is not None
    try:
        return not os.read(process.stdout.fileno(), READ_BYTES)
    except BlockingIOError:
        return False
