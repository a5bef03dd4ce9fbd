"""How far a long piece of work has come, for a person who waits: on stderr, if that is a terminal, and not for long.

Rule: nothing is shown of what is done within a moment, and nothing is left behind by what took longer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from auctionctl.cli.output import Form

MOMENT_S: Final = 0.5

FRAME_S: Final = 0.1
"""No frame is drawn sooner after the last one."""

Progress = Callable[[int, int], None]
"""(done, of how many): called from time to time."""


@contextmanager
def shown_progress(form: Form, words: str) -> Iterator[Progress]:
    """What tells a person how far ``words`` have come; it does nothing for programs and where stderr is no terminal."""
    if form.is_json or sys.stderr is None or not sys.stderr.isatty():
        yield tell_nobody
        return
    begun_s = time.monotonic()
    advance: Progress | None = None
    with ExitStack() as held:

        def tell(done: int, total: int) -> None:
            nonlocal advance
            if advance is None and time.monotonic() - begun_s >= MOMENT_S:
                advance = held.enter_context(_bar(words))
            if advance is not None:
                advance(done, total)

        yield tell


class PassingProgress:
    """Progress of something that begins and ends in the midst of other news; as :func:`shown_progress` otherwise."""

    def __init__(self, form: Form, words: str) -> None:
        self._form = form
        self._words = words
        self._held = ExitStack()
        self._tell: Progress | None = None

    def show(self, done: int, total: int) -> None:
        """So much is done."""
        if self._tell is None:
            self._tell = self._held.enter_context(shown_progress(self._form, self._words))
        self._tell(done, total)

    def close(self) -> None:
        """It is over, or something else is to be said: nothing is left of it."""
        self._tell = None
        self._held.close()


def tell_nobody(done: int, total: int) -> None:
    """For whom nothing is shown."""


@contextmanager
def _bar(words: str) -> Iterator[Progress]:
    from rich.console import Console  # noqa: PLC0415 - slow to import, and seldom needed
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    # Drawn by whoever tells, and by no thread of its own: what is measured meanwhile has the processor for itself.
    with Bar(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(words, total=None)
        drawn_s = float("-inf")

        def advance(done: int, total: int) -> None:
            nonlocal drawn_s
            is_due = time.monotonic() - drawn_s >= FRAME_S or 0 < total <= done
            if is_due:
                drawn_s = time.monotonic()
            bar.update(task, completed=done, total=total, refresh=is_due)

        yield advance
