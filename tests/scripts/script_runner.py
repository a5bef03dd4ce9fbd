"""Runs the steps of a script with real processes, in one directory.

Rule: whatever happens, no process is left; every wait ends with the event itself or fails after PATIENCE_S.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from script_language import (
    SIGNALS,
    Command,
    Failure,
    Step,
    difference,
    is_like,
    line_pattern,
    read_command,
    substitute,
)

PATIENCE_S: Final = 60.0
TEMPORARY: Final = "tmp"


class Background:
    """A command that runs meanwhile; threads take what it writes, so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._err: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        self._threads = [
            threading.Thread(target=self._take_out, args=(process.stdout,)),
            threading.Thread(target=self._take_err, args=(process.stderr,)),
        ]
        for thread in self._threads:
            thread.start()

    def _take_out(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._lines.put(line.decode())
        self._lines.put(None)

    def _take_err(self, stream: IO[bytes]) -> None:
        with stream:
            self._err.extend(line.decode() for line in stream)

    def wait_for_line(self, expected: str, line: int) -> None:
        """Read stdout up to a line like ``expected``."""
        seen: list[str] = []
        while True:
            try:
                text = self._lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise Failure(line, f"no line like {expected!r} came; stdout: {seen}") from None
            if text is None:
                self._lines.put(None)
                self.end()
                raise Failure(line, f"it ended without a line like {expected!r}; stdout: {seen} stderr: {self._err}")
            if re.fullmatch(line_pattern(expected), text.rstrip("\n")):
                return
            seen.append(text)

    def wait(self, line: int) -> tuple[int, str, str]:
        """Wait for the end: exit status, stdout since the last line waited for, and stderr."""
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Failure(line, "it still runs") from None
        self.end()
        out = "".join(text for text in iter(self._lines.get, None) if text is not None)
        return status, out, "".join(self._err)

    def end(self) -> None:
        """Kill what still runs, and collect what it wrote."""
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()


class Runner:
    """The state of one script that runs in ``work``."""

    def __init__(self, work: Path) -> None:
        self.work = work
        (work / TEMPORARY).mkdir()
        self.variables = {"WORK": str(work), "PORT": str(_free_port()), "PYTHON": sys.executable}
        self.background: dict[str, Background] = {}
        self.inputs: dict[str, bytes] = {}
        self.listed: Step | None = None
        self.out = ""

    def run(self, step: Step) -> None:
        """One step."""
        rest = substitute(step.rest, self.variables, step.line) if step.verb not in ("$", "&") else step.rest
        match step.verb:
            case "$":
                self._run_command(step)
            case "&":
                name, _, command = rest.partition(" ")
                self.background[name] = Background(self._start(self._command(command, step.line), step.line))
            case "await":
                name, _, expected = rest.partition(" ")
                self._named(name, step).wait_for_line(expected, step.line)
            case "let":
                self.variables[rest] = self.out.strip()
            case "file":
                self._write_file(step, rest)
            case "files":
                self.listed = step
            case _:
                process = self._named(rest, step)
                if step.verb in SIGNALS:
                    process.process.send_signal(signal.Signals[SIGNALS[step.verb]])
                del self.background[rest]
                self._check(step, *process.wait(step.line))

    def _named(self, name: str, step: Step) -> Background:
        if name not in self.background:
            raise Failure(step.line, f"nothing called {name!r} runs")
        return self.background[name]

    def _command(self, text: str, line: int) -> Command:
        return read_command(text, self.variables, line)

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        home = {
            "HOME": str(self.work),
            "TMPDIR": str(self.work / TEMPORARY),
            "AUCTIONCTL_HOME": str(self.work / "home"),
        }
        return kept | home | {"LC_ALL": "C.UTF-8", "TERM": "dumb"} | dict(settings)

    def _start(self, command: Command, line: int) -> subprocess.Popen[bytes]:
        words = list(command.words)
        if words[0] == "auctionctl":
            words[:1] = [sys.executable, "-P", "-m", "auctionctl"]
        stdin = self.work / command.stdin if command.stdin else Path(os.devnull)
        with stdin.open("rb") as source:
            try:
                return subprocess.Popen(
                    words,
                    stdin=source,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=self.work,
                    env=self._environment(command.environment),
                )
            except OSError as error:
                raise Failure(line, f"{words[0]}: {error}") from None

    def _run_command(self, step: Step) -> None:
        command = self._command(step.rest, step.line)
        process = self._start(command, step.line)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Failure(step.line, f"it does not end: {step.rest}") from None
        finally:
            process.kill()
            process.communicate()
        if command.stdout is not None:
            path = self.work / command.stdout
            path.write_bytes(out)
            self.inputs[command.stdout] = out
            out = b""
        self.out = out.decode()
        self._check(step, process.returncode, self.out, err.decode())

    def _check(self, step: Step, status: int, out: str, err: str) -> None:
        problems = []
        for what, wanted, actual in (("stdout", step.out, out), ("stderr", step.err, err)):
            expected = [substitute(line, self.variables, step.line) for line in wanted]
            if not is_like(expected, actual):
                problems.append(difference(what, expected, actual))
        if status != step.status:
            problems.append(f"it ended with {status}, not with {step.status}")
        if problems:
            raise Failure(step.line, f"{step.verb} {step.rest}\n" + "\n".join(problems))

    def _write_file(self, step: Step, rest: str) -> None:
        name, _, mode = rest.partition(" ")
        path = self.work / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = "".join(substitute(line, self.variables, step.line) + "\n" for line in step.body)
        path.write_text(text)
        path.chmod(int(mode or "600", 8))
        self.inputs[name] = text.encode()

    def check_files(self, last_line: int) -> None:
        """What is there is what was put there and what the script lists, and nothing else."""
        listed = [] if self.listed is None else self.listed.body
        line = last_line if self.listed is None else self.listed.line
        wanted = [substitute(each, self.variables, line) for each in listed]
        left = {str(path.relative_to(self.work)): path for path in self.work.rglob("*") if not path.is_dir()}
        for name in self.inputs:
            left.pop(name, None)
        missing = [each for each in wanted if not _take(each, left)]
        if missing or left:
            raise Failure(line, f"files that are missing: {missing}; files that nobody listed: {sorted(left)}")


def _take(wanted: str, left: dict[str, Path]) -> bool:
    """Remove from ``left`` what ``wanted`` names; False if there is nothing of the kind."""
    name, _, mode = wanted.partition(" ")
    pattern = line_pattern(name.removesuffix("...")) + (".+" if name.endswith("...") else "")
    found = [each for each in left if re.fullmatch(pattern, each)]
    if mode and any(left[each].stat().st_mode & 0o7777 != int(mode, 8) for each in found):
        return False
    if len(found) > 1 and "<" not in name and "…" not in name and not name.endswith("..."):
        return False
    for each in found:
        del left[each]
    return bool(found)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def run_script(steps: Sequence[Step], work: Path) -> None:
    """Run every step in ``work``, an empty directory. Raises Failure with the line that does not hold."""
    runner = Runner(work)
    try:
        for step in steps:
            runner.run(step)
        if runner.background:
            raise Failure(steps[-1].line, f"still running at the end: {', '.join(runner.background)}")
        runner.check_files(steps[-1].line)
    finally:
        for background in runner.background.values():
            background.end()
