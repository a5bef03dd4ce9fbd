"""A house's process in a thread: whoever imports this is its supervisor, its gateway and its verifier."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from house_process import HOUSE_KEY, key_of, until

from auctionctl.auction.bid import Join, encode_join
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import StoreBrokenError
from auctionctl.house.limits import Limits
from auctionctl.keys.allowlist import Entry, render
from auctionctl.net import house_store
from auctionctl.net.admission_news import AllowListTaken, LimitsTaken
from auctionctl.net.child_words import GatewayPipe, Stop, VerifierPipe, encode
from auctionctl.net.chunks import Checked, RequestTuple
from auctionctl.net.clock import Clock
from auctionctl.net.control import receive_control, tell_child
from auctionctl.net.daemon import HouseProcess
from auctionctl.net.hops import Admit, Known, Operation, Release, Serving, ToSession, decode_release
from auctionctl.net.house_words import Admitted, Alive, Listening, Opened, StartHouse, Turned, decode_from_child
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.store.sqlite import SqliteStore
from auctionctl.tlog.entry import decode
from auctionctl.wire.frames import sign_body
from auctionctl.wire.listing import LotDescription
from auctionctl.wire.messages import (
    Entries,
    Read,
    Welcome,
    decode_reply,
)
from auctionctl.wire.messages import encode as encode_message
from auctionctl.wire.session import ClientGreeting

ANN = key_of("ann")
SESSION = 7
LOT = LotDescription("vase", "A vase", "credits", 1, min_bidders=2, duration_ns=3_600 * SECOND_NS)


class TroubledStore(SqliteStore):
    """A store whose disk can be full, or broken."""

    trouble: type[Exception] | None = None

    def append(self, appends: Any, now_ns: int) -> None:
        if self.trouble is not None:
            raise self.trouble("for the test")
        super().append(appends, now_ns)


class Run:
    """A house's process in a thread. ``gateway`` and ``verifier`` are the other ends of its pipes."""

    def __init__(self, directory: Path, queue: int = 1_000, **start_options: Any) -> None:
        self.stack = ExitStack()
        self.control, theirs = socket.socketpair()
        self.stack.enter_context(self.control)
        self.stack.enter_context(theirs)
        self.allow_list = directory / "allow"
        self.allow(Entry(ANN.identity, "ann"))
        start = StartHouse(
            HOUSE_KEY.seed_text,
            str(directory / "state"),
            str(directory / "allow"),
            Limits(10, queue, bids_per_s=10**6, bids_burst=10**6, all_bids_per_s=10**6),
            [LOT],
            **start_options,
        )
        self.process: HouseProcess | None = None
        self.ended_with: list[BaseException | None] = []
        self.operations: deque[Operation] = deque()
        self.answered: list[int] = []
        self.gateway: Pipe | None = None
        self.thread = threading.Thread(target=self._run, args=(theirs, start))

    def _run(self, theirs: socket.socket, start: StartHouse) -> None:
        try:
            self.process = HouseProcess(theirs, start)
            self.process.run()
            self.ended_with.append(None)
        except (PipeClosedError, StoreBrokenError) as error:
            self.ended_with.append(error)
        finally:
            if self.process is not None:
                self.process._store.close()

    def begin(self) -> Run:
        self.thread.start()
        self.verifier = self.pair(VerifierPipe(0))
        self.serve_anew()
        assert self.hear() == Opened([])
        listening = self.hear()
        assert isinstance(listening, Listening)
        self.auction = listening.auctions[0].auction
        return self

    def pair(self, message: VerifierPipe | GatewayPipe) -> Pipe:
        ours, theirs = socket.socketpair()
        self.stack.enter_context(ours)
        with theirs:
            tell_child(self.control, message, theirs.fileno())
        return Pipe(ours)

    def serve_anew(self, first_session: int = 0) -> None:
        """Another gateway serves."""
        self.operations.clear()
        self.gateway = self.pair(GatewayPipe(first_session))
        assert isinstance(self.next(Admit), Admit)
        self.gateway.send(encode(Serving()))

    def hear(self, *, news: bool = False) -> Any:
        """The next report; those that come by the way, such as signs of life, only where ``news`` are asked for."""
        while True:
            data, _ = receive_control(self.control)
            report = decode_from_child(data)
            if news or not isinstance(report, (Admitted, Alive, AllowListTaken, LimitsTaken, Turned)):
                return report

    def take(self) -> None:
        assert self.gateway is not None
        for frame in self.gateway.receive():
            release: Release = decode_release(frame)
            self.operations.extend(release.operations)
            self.answered += release.answered

    def next(self, kind: type) -> Any:
        """The next operation of this kind for the gateway."""

        def found() -> Operation | None:
            self.take()
            while self.operations:
                operation = self.operations.popleft()
                if isinstance(operation, kind):
                    return operation
            return None

        return until(found, f"a {kind.__name__}")

    def next_reply(self, session: int = SESSION) -> Any:
        operation = self.next(ToSession)
        assert operation.session == session
        return decode_reply(operation.body)

    def send(self, *requests: RequestTuple, number: int = 0, forged: tuple[tuple[int, bytes], ...] = ()) -> None:
        self.verifier.send(encode(Checked(number, list(requests), list(forged))))

    def allow(self, *entries: Entry) -> None:
        """Another list in place of the one before, all at once."""
        fresh = self.allow_list.with_suffix(".new")
        fresh.write_text("".join(f"{render(entry)}\n" for entry in entries))
        fresh.replace(self.allow_list)

    def greet(self, role: str = "bidder") -> None:
        body, signature = ClientGreeting(ANN, HOUSE_KEY.identity, role).hello(bytes(16), 0)
        self.send((SESSION, ANN.identity.signing, body, signature, ANN.identity.transport))
        assert self.next(Known).identity == ANN.identity.signing
        assert isinstance(self.next_reply(), Welcome)

    def read(self, log: bytes | None = None) -> list[str]:
        """The kinds of the entries of the log: the lot's, or another's."""
        self.send((SESSION, b"", encode_message(Read(self.auction if log is None else log, 0)), b"", b""))
        reply = self.next_reply()
        assert isinstance(reply, Entries)
        return [decode(entry).kind for entry in reply.entries]

    def join(self) -> RequestTuple:
        now_ns = Clock().now_ns()
        mine = ANN.identity.signing
        join = Join(HOUSE_KEY.identity.signing, self.auction, mine, bytes(16), now_ns, now_ns + 20 * SECOND_NS)
        body, signature = sign_body(ANN, encode_join(join))
        return (SESSION, mine, body, signature, b"")

    def close(self) -> None:
        if self.thread.ident is not None:
            if not self.ended_with:
                tell_child(self.control, Stop())
            self.thread.join(30)
        if self.process is not None:
            for pipe in (*(end.pipe for end in self.process._gateways), *self.process._verifiers.values()):
                pipe.close()
        self.stack.close()


@pytest.fixture
def prepare(stack: ExitStack, tmp_path: Path, monkeypatch) -> Callable[..., Run]:
    monkeypatch.setattr(house_store, "SqliteStore", TroubledStore)

    def prepared(**options: Any) -> Run:
        run = Run(tmp_path, **options)
        stack.callback(run.close)
        return run

    return prepared


@pytest.fixture
def run(prepare) -> Run:
    return prepare().begin()
