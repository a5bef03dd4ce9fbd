"""Replaying the logs of a large store in several processes at once, so that every core helps a house to start.

Rule: another process only does what the house would do itself, and nothing rests on it. The house takes one log after
another, the largest first, and so does each of the others; when none is left, it takes what others are still at as
well, and whoever comes first has done it. So one that died or stands still costs time, and no more. It holds no key, no
store and no socket to anywhere.

The house hands entries over while it replays others itself: frames over a pipe, of which an empty one ends a log.
Answers are a frame a log, pickled: they come from this very program, and hold whatever state the rules keep.
"""

from __future__ import annotations

import os
import pickle
import select
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Final

import msgspec

from auctionctl.errors import TermsError, VerificationError
from auctionctl.house.recovery import Replayed, replay_stored
from auctionctl.net.children import spawn
from auctionctl.net.pipes import Pipe, PipeClosedError

KIND: Final = "replayer"
WORTH_ENTRIES: Final = 100_000
"""With fewer in the store, all is replayed by the time that another process has started."""
MAX_REPLAYERS: Final = 3
ENTRIES_A_FRAME: Final = 128
"""So many are handed over at once, and so many does the house replay before it looks after the others."""
AHEAD_BYTES: Final = 1 << 20
"""So much at the most waits to be handed over."""

Outcome = Replayed | str
"""What a log comes to, or why it does not hold."""
Read = Callable[[str], Iterator[bytes]]
"""The entries of the log of this name, in order."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[bytes]).decode


def outcome_of(house: bytes, name: str, entries: Iterable[bytes]) -> Outcome:
    """What the log called ``name`` of the house with this signing key comes to."""
    try:
        return replay_stored(house, name, entries)
    except (VerificationError, TermsError) as error:
        return str(error)


def count_replayers(entries: int, logs: int, cores: int | None = None) -> int:
    """How many other processes are worth having for so many entries in so many logs; ``cores`` are the machine's."""
    if entries < WORTH_ENTRIES:
        return 0
    return max(0, min(MAX_REPLAYERS, (cores or os.cpu_count() or 1) - 1, logs - 1))


def replay_all(house: bytes, sizes: Sequence[tuple[str, int]], read: Read, replayers: int) -> dict[str, Outcome]:
    """What each of the logs of these names and sizes comes to, with the help of so many ``replayers``.

    ``house`` is the house's signing key. Raises what ``read`` raises.
    """
    with ExitStack() as held:
        work = _Work(house, sizes, read)
        for _ in range(replayers):
            replayer = Replayer(house, work.take)
            held.callback(replayer.close)
            work.replayers.append(replayer)
        work.do_all()
        return work.outcomes


class _Overtaken(Exception):
    """The log has been replayed elsewhere meanwhile."""


class _Work:
    """Which logs wait, which others are at, and what has come of the rest."""

    def __init__(self, house: bytes, sizes: Sequence[tuple[str, int]], read: Read) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.replayers: list[Replayer] = []
        self._house = house
        self._read = read
        self._waiting = deque(name for name, _ in sorted(sizes, key=lambda each: -each[1]))
        self._taken: list[str] = []

    def take(self) -> tuple[str, Iterator[bytes]] | None:
        """Another log for a replayer, if one waits."""
        if not self._waiting:
            return None
        name = self._waiting.popleft()
        self._taken.append(name)
        return name, self._read(name)

    def do_all(self) -> None:
        """Replay what waits, and then what others have not finished: what they were given last comes first."""
        while self._waiting:
            self._do(self._waiting.popleft())
        for name in reversed(self._taken):
            if name not in self.outcomes:
                self._do(name)

    def _do(self, name: str) -> None:
        try:
            self.outcomes[name] = outcome_of(self._house, name, self._looking_after_others(name))
        except _Overtaken:
            assert name in self.outcomes

    def _looking_after_others(self, name: str) -> Iterator[bytes]:
        entries = self._read(name)
        while some := list(islice(entries, ENTRIES_A_FRAME)):
            for replayer in self.replayers:
                self.outcomes.update(replayer.feed())
            if name in self.outcomes:
                raise _Overtaken
            yield from some


class Replayer:
    """Another process, which replays the logs that it takes from ``take``. Whoever has made one closes it."""

    def __init__(self, house: bytes, take: Callable[[], tuple[str, Iterator[bytes]] | None]) -> None:
        self._child = spawn(KIND)
        self._pipe: Pipe | None = Pipe(self._child.control)
        self._coming = _frames(house, take)

    def feed(self) -> list[tuple[str, Outcome]]:
        """Hand over what the process takes now; returns its new answers. Raises what reading the logs raises."""
        if self._pipe is None:
            return []
        try:
            self._pipe.flush()
            while self._pipe.backlog_bytes < AHEAD_BYTES and (frame := next(self._coming, None)) is not None:
                self._pipe.send(frame)
            return [pickle.loads(answer) for answer in self._pipe.receive()]  # noqa: S301 - from our own child
        except PipeClosedError:
            # It is gone, and what it had taken is left to the house.
            self._pipe = None
            return []

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._child.control.close()
        self._child.process.kill()
        self._child.process.wait()


def _frames(house: bytes, take: Callable[[], tuple[str, Iterator[bytes]] | None]) -> Iterator[bytes]:
    yield house
    while (log := take()) is not None:
        name, entries = log
        yield name.encode()
        while some := list(islice(entries, ENTRIES_A_FRAME)):
            yield _encode(some)
        yield b""


# In that process


def run_replayer(control: socket.socket) -> None:
    """Replay what comes over ``control``, and answer. Raises PipeClosedError when the house wants no more."""
    pipe = Pipe(control)
    frames = _arriving(pipe)
    house = next(frames)
    for frame in frames:
        name, entries = frame.decode(), _entries(frames)
        outcome = outcome_of(house, name, entries)
        for _ in entries:
            pass  # What follows an entry that does not hold.
        pipe.send(pickle.dumps((name, outcome), pickle.HIGHEST_PROTOCOL))
        while pipe.backlog_bytes:
            _wait(pipe, select.POLLOUT)
            pipe.flush()


def _arriving(pipe: Pipe) -> Iterator[bytes]:
    while True:
        _wait(pipe, select.POLLIN)
        yield from pipe.receive()


def _entries(frames: Iterator[bytes]) -> Iterator[bytes]:
    while frame := next(frames):
        yield from _decode(frame)


def _wait(pipe: Pipe, events: int) -> None:
    poll = select.poll()
    poll.register(pipe, events)
    poll.poll()
