"""What readers have asked for, answered a little at a time (DESIGN.md section 3: slices, byte quotas, low priority).

A question of 45 bytes is answered with 64 KiB, so questions must not be able to crowd out bids: each session has one
pending for each log and one for the catalogue, a later one takes its place, and a turn of the house reads no more than
FETCH_BYTES_A_TURN, and nothing for whoever's gateway still has so much to send. Whoever has read more than its share is
told when to ask again (:mod:`auctionctl.house.quotas`), and others are answered meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

from auctionctl.house.effects import Fetch, Page
from auctionctl.house.quotas import Quotas
from auctionctl.net.hops import ToSession
from auctionctl.store.log_store import LogStore
from auctionctl.wire.messages import MAX_ENTRIES_BYTES, Entries, encode

FETCH_BYTES_A_TURN: Final = 1 << 18
FULL_GATEWAY_BYTES: Final = 1 << 20
FETCH_ENTRIES: Final = 256


class Reading:
    """The questions that wait, in the order in which they came."""

    def __init__(self, store: LogStore, quotas: Quotas, sessions: Container[int]) -> None:
        """``sessions`` are those that there are."""
        self._store = store
        self._quotas = quotas
        self._sessions = sessions
        self._waiting: dict[tuple[int, bytes | None], Fetch | Page] = {}  # by session and log; None: the catalogue

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, question: Fetch | Page) -> None:
        """Answer this some time soon."""
        self._waiting[question.session, question.auction if isinstance(question, Fetch) else None] = question

    def forget(self, sessions: Container[int]) -> None:
        """Nobody of these waits any more."""
        self._waiting = {key: each for key, each in self._waiting.items() if key[0] not in sessions}

    def is_due(self, backlog_bytes: Callable[[int], int]) -> bool:
        """Whether anybody waits whose gateway has taken everything; ``backlog_bytes`` as in :meth:`answer`."""
        return any(not backlog_bytes(session) for session, _ in self._waiting)

    def answer(self, backlog_bytes: Callable[[int], int], now_ns: int) -> list[ToSession]:
        """As many answers as this turn allows; ``backlog_bytes`` is what a session's gateway has not taken yet."""
        answers: list[ToSession] = []
        size_bytes = 0
        for key in list(self._waiting):
            if size_bytes >= FETCH_BYTES_A_TURN:
                break
            if backlog_bytes(key[0]) >= FULL_GATEWAY_BYTES:
                continue
            question = self._waiting.pop(key)
            session, log = question.session, question.auction if isinstance(question, Fetch) else b""
            if session not in self._sessions:
                continue
            if (refusal := self._quotas.refuse_reading(session, log, now_ns)) is not None:
                body = encode(refusal)
            else:
                body = encode(self._read(question)) if isinstance(question, Fetch) else question.message.body
                self._quotas.has_read(session, len(body), now_ns)
            answers.append(ToSession(session, body, b""))
            size_bytes += len(body)
        return answers

    def _read(self, fetch: Fetch) -> Entries:
        """Entries up to the size that the checkpoint was signed for, however long the log is by now."""
        entries: list[bytes] = []
        size_bytes = 0
        limit = min(FETCH_ENTRIES, max(0, fetch.size - fetch.start))
        for data in self._store.read(fetch.log, fetch.start, limit):
            size_bytes += len(data)
            if entries and size_bytes > MAX_ENTRIES_BYTES:
                break
            entries.append(data)
        return Entries(fetch.auction, fetch.start, tuple(entries), fetch.checkpoint)
