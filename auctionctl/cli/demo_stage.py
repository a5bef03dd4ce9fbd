"""The processes of the demo: started, watched, and ended, whatever happens.

Rule: when the stage is left, no process that was started on it lives.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from auctionctl.cli.output import write_note
from auctionctl.cli.settings.person_file import PERSON_VARIABLES
from auctionctl.client.paths import HOME_VARIABLE
from auctionctl.errors import AuctionctlError, UnreachableError
from auctionctl.net.family_log import FORM_VARIABLE

STOP_PATIENCE_S: Final = 15.0
"""Longer than a house gives its own processes."""
TAIL_LINES: Final = 15
_POLL_S: Final = 0.02


class Stage:
    """A context for processes of this program that live under ``home``; their output goes to ``home/output``."""

    def __init__(self, home: Path) -> None:
        self._output = home / "output"
        self._environment = _environment(home)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._expected: dict[str, frozenset[int]] = {}

    def __enter__(self) -> Stage:
        self._output.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A second Ctrl-C must not leave anything running.
        handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for name in reversed(self._processes):
                self._stop(self._processes[name])
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def start(self, name: str, arguments: Sequence[str], expected: frozenset[int], home: Path | None = None) -> None:
        """Start ``auctionctl ARGUMENTS`` as ``name``; it may end by itself with one of the ``expected`` statuses.

        It lives under ``home``, if that is another than the stage's.
        """
        environment = self._environment if home is None else _environment(home)
        self._start(name, command_line(arguments), expected, environment)

    def start_program(self, name: str, command: Sequence[str]) -> None:
        """Start another program than this one, which is not to end by itself."""
        self._start(name, command, frozenset(), self._environment)

    def _start(
        self, name: str, command: Sequence[str], expected: frozenset[int], environment: Mapping[str, str]
    ) -> None:
        with self._path(name, "out").open("wb") as out, self._path(name, "err").open("wb") as err:
            # A session of its own: a Ctrl-C at the terminal is ours to hand on, in order.
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and module, or a program we found
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._expected[name] = expected

    def kill(self, name: str, children: Sequence[int]) -> None:
        """kill -9 the process called ``name``, and those of its children."""
        process = self._processes[name]
        self._expected[name] |= {-signal.SIGKILL}
        process.kill()
        process.wait()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def check(self) -> None:
        """Raise AuctionctlError, having shown the end of its stderr, if a process has failed."""
        for name, process in self._processes.items():
            status = process.poll()
            if status is not None and status not in self._expected[name]:
                lines = self._path(name, "err").read_text(errors="replace").splitlines()[-TAIL_LINES:]
                for line in lines:
                    write_note(f"{name}: {line}")
                raise AuctionctlError(f"the demo's process {name} ended with status {status}")

    def wait_for_file(self, path: Path, patience_s: float) -> None:
        """Until ``path`` exists."""
        deadline_s = time.monotonic() + patience_s
        while not path.exists():
            self.check()
            if time.monotonic() > deadline_s:
                raise UnreachableError(f"the demo's house did not serve within {patience_s:g} s")
            time.sleep(_POLL_S)

    def wait_for_output(self, name: str, word: bytes, patience_s: float) -> None:
        """Until the output of ``name`` holds ``word`` in a whole line."""
        deadline_s = time.monotonic() + patience_s
        while not any(word in line for line in self.output_of(name)):
            self.check()
            if time.monotonic() > deadline_s:
                raise UnreachableError(f"the process {name} was not ready within {patience_s:g} s")
            time.sleep(_POLL_S)

    def output_of(self, name: str) -> list[bytes]:
        """The whole lines that the process called ``name`` has written to its stdout."""
        whole, _, _ = self._path(name, "out").read_bytes().rpartition(b"\n")
        return whole.splitlines()

    def wait_for(self, names: Sequence[str], patience_s: float) -> None:
        """Until the processes called ``names`` have ended by themselves, as expected."""
        deadline_s = time.monotonic() + patience_s
        while any(self._processes[name].poll() is None for name in names):
            if time.monotonic() > deadline_s:
                raise UnreachableError(f"the demo's bidders did not end within {patience_s:g} s")
            time.sleep(_POLL_S)
        self.check()

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _path(self, name: str, suffix: str) -> Path:
        return self._output / f"{name}.{suffix}"


def run_once(home: Path, arguments: Sequence[str], timeout_s: float) -> subprocess.CompletedProcess[bytes]:
    """``auctionctl ARGUMENTS`` under ``home``, in a process of its own, to its end."""
    return subprocess.run(  # noqa: S603 - our own interpreter and module
        command_line(arguments),
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )


def command_line(arguments: Sequence[str]) -> list[str]:
    """This very program, whatever else may be installed by its name; ``-P`` keeps the current directory out."""
    return [sys.executable, "-P", "-m", "auctionctl", *arguments]


def _environment(home: Path) -> Mapping[str, str]:
    # Its processes are read, so that they say what they have to say in the form that is expected here.
    dropped = PERSON_VARIABLES | {FORM_VARIABLE}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {HOME_VARIABLE: str(home)}
