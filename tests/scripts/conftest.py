"""Runs every ``*.txt`` here as a test: a script of commands, and what each must write, end with and leave behind.

::

    # A comment. Blank lines only part one step from the next.
    file AUCTIONS.toml                    an input file, made before the next command; a mode may follow: file x 644
    | [[auction]]
    | item = "Gold watch"

    $ auctionctl keygen alice             a command, in words as a shell has them; NAME=VALUE before it is environment
      auc1…                               a line of stdout: two blanks, then the line
    ! wrote $WORK/home/config/keys/…      a line of stderr
    exit 0                                the exit status, where it is not 0
    let ALICE                             from now on $ALICE is what the command wrote to stdout

    $ auctionctl verify - < log > out     stdin from a file, stdout into a file

    & house auctionctl serve lots.toml    starts a command in the background, under a name
    await house serving at …              reads its stdout up to and with the first line like this
    stop house                            SIGTERM (or: kill house, interrupt house, hangup house), and waits for its end
    wait house                            waits for its end
      every auction has ended             after each of these stdout since the last await, stderr and exit, as above

    files                                 what is there at the end besides the input files; a line of …/… for each
    | home/config/keys/alice.key 600      (with its mode, if it matters)
    | home/state/...                      or everything below a directory, at least one file

In expected lines ``…`` stands for any text, ``auc1…`` for a public key, whole or short, ``<hex>`` for lower-case hex
digits, ``<n>`` for a number, ``<time>`` for a time in UTC, ``<empty>`` for an empty line; ``...`` alone on a line
stands for any number of lines. ``$WORK`` is the directory in which commands run, ``$PORT`` a free port, ``$PYTHON`` the
interpreter (for ``sh -c '… -m auctionctl …'``).

Rule: nothing is assumed. A command of which no stdout is stated writes none, the same with stderr; what is left at the
end and not listed under ``files`` fails the script, and so does a background command that still runs. Each script has
an AUCTIONCTL_HOME ($WORK/home) of its own, and no other setting. Nothing here waits for time to pass.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))

from script_language import Failure, parse
from script_runner import run_script


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Every script is a file of one test."""
    if file_path.suffix != ".txt" or file_path.parent != Path(__file__).parent:
        return None
    return ScriptFile.from_parent(parent, path=file_path)  # type: ignore[no-any-return]


class ScriptFile(pytest.File):
    """One file, one test."""

    def collect(self) -> Iterator[pytest.Item]:
        yield Script.from_parent(self, name=self.path.stem)


class Script(pytest.Item):
    """One script, run in a new directory."""

    def runtest(self) -> None:
        with tempfile.TemporaryDirectory(prefix="auctionctl-script-") as directory:
            run_script(parse(self.path.read_text()), Path(directory).resolve())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Failure):
            return f"{self.path.name}:{excinfo.value.line}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"script {self.name}"
