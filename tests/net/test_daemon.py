"""The house's process by itself: the tests are its supervisor, its gateway and its verifier."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from house_process import HOUSE_KEY, key_of, until

from auctionctl.auction.bid import Join, command_id, encode_join
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import StoreBrokenError, StoreFullError
from auctionctl.house.house import Limits
from auctionctl.house.intake import Request
from auctionctl.keys.allowlist import Entry, render
from auctionctl.net import daemon
from auctionctl.net.clock import Clock
from auctionctl.net.control import receive_control, tell_child
from auctionctl.net.daemon import HouseProcess
from auctionctl.net.hops import (
    Admit,
    Admitted,
    Alive,
    AllowListKept,
    Checked,
    Ending,
    Following,
    GatewayPipe,
    Known,
    LastWord,
    Listening,
    Opened,
    Operation,
    Release,
    Reload,
    Reloaded,
    RequestTuple,
    Serving,
    SettingsKept,
    StartHouse,
    Stop,
    StoreFull,
    ToSession,
    Turned,
    VerifierPipe,
    decode_from_child,
    decode_release,
    encode,
)
from auctionctl.net.pipes import MAX_FRAME_BYTES, Pipe, PipeClosedError
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.store.sqlite import SqliteStore
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.frames import message_type, sign_body
from auctionctl.wire.listing import Entropy, LotDescription, sign_terms
from auctionctl.wire.messages import (
    Acknowledged,
    Catalogue,
    Entries,
    List,
    Read,
    Refused,
    Subscribe,
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

    def __init__(self, directory: Path, queue: int = 1_000) -> None:
        self.stack = ExitStack()
        self.control, theirs = socket.socketpair()
        self.stack.enter_context(self.control)
        self.stack.enter_context(theirs)
        self.allow_list = directory / "allow"
        self.allow(Entry(ANN.identity, "ann"))
        start = StartHouse(HOUSE_KEY.seed_text, str(directory / "state"), str(directory / "allow"), 10, queue, [LOT])
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
            if news or not isinstance(report, (Admitted, Alive, Turned)):
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
            for pipe in (self.process._gateway, *self.process._verifiers.values()):
                if pipe is not None:
                    pipe.close()
        self.stack.close()


@pytest.fixture
def prepare(stack: ExitStack, tmp_path: Path, monkeypatch) -> Callable[..., Run]:
    monkeypatch.setattr(daemon, "SqliteStore", TroubledStore)

    def prepared(**options: int) -> Run:
        run = Run(tmp_path, **options)
        stack.callback(run.close)
        return run

    return prepared


@pytest.fixture
def run(prepare) -> Run:
    return prepare().begin()


def test_a_request_is_answered_and_its_chunk_with_it(run):
    run.greet()
    join = run.join()
    run.send(join, number=5)
    assert isinstance(run.next_reply(), Acknowledged)
    assert run.answered[-1] == 5
    assert run.read() == [Kind.TERMS, Kind.JOINED]
    run.send((SESSION, b"", encode_message(Subscribe((run.auction,))), b"", b""))
    assert run.next(Following) == Following(SESSION, [run.auction])


def test_a_forged_request_is_refused_by_name(run):
    run.send(forged=((SESSION, bytes(32)),))
    reply = run.next_reply()
    assert (reply.code, reply.command) == ("bad_signature", bytes(32))


def test_what_does_not_fit_into_the_queue_is_refused_as_busy_at_once(prepare):
    run = prepare(queue=2).begin()
    run.greet()
    requests = [(SESSION, b"", encode_message(List(start)), b"", b"") for start in range(4)]
    run.send(*requests)
    replies = [run.next_reply() for _ in range(3)]
    assert [(reply.code, reply.command) for reply in replies[:2]] == [
        ("busy", command_id(request[2])) for request in requests[2:]
    ]
    assert all(reply.retry_after_ns > 0 for reply in replies[:2])
    assert isinstance(replies[2], Catalogue)
    assert replies[2].start == 1, "of two questions for the catalogue in one batch, the last"


def test_questions_about_one_log_are_answered_once_and_with_the_last(prepare):
    run = prepare().begin()
    run.greet()
    run.send(*[(SESSION, b"", encode_message(Read(run.auction, start)), b"", b"") for start in (0, 1, 0, 1)])
    run.send((SESSION, b"", encode_message(List(0)), b"", b""))
    replies = [run.next_reply(), run.next_reply()]
    assert [reply.start for reply in replies if isinstance(reply, Entries)] == [1]


def test_what_comes_from_an_earlier_gateway_is_nobodys(prepare):
    run = prepare().begin()
    run.greet()
    run.serve_anew(SESSION + 1)
    run.send((SESSION, b"", encode_message(List(0)), b"", b""), (SESSION + 1, b"", encode_message(List(0)), b"", b""))
    assert run.next_reply(SESSION + 1).code == "no_session"


def test_a_gateway_replaced_in_the_turn_in_which_its_end_is_seen_harms_nothing(prepare):
    """Both are ready at once here: the word of a new gateway, and the end of the one before it."""
    run = prepare()
    run.pair(GatewayPipe())._socket.close()
    run.pair(GatewayPipe())._socket.close()
    run.begin()
    run.greet()
    assert run.read() == [Kind.TERMS]


@pytest.mark.parametrize("bad", [encode(Release([], [])), b"\xc1", b""], ids=["another-hop", "garbage", "empty"])
def test_a_gateway_that_talks_nonsense_is_no_more_than_a_lost_one(run, bad):
    run.gateway.send(bad)
    assert_gateway_is_lost(run)


def test_a_gateway_that_announces_an_endless_frame_is_no_more_than_a_lost_one(run):
    run.gateway._socket.sendall((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
    assert_gateway_is_lost(run)


def test_a_gateway_that_does_not_read_is_no_more_than_a_lost_one(run, monkeypatch):
    run.greet()
    monkeypatch.setattr(daemon, "GATEWAY_BACKLOG_BYTES", 1 << 18)
    request = (SESSION, b"", encode_message(Read(run.auction, 0)), b"", b"")
    until(lambda: (run.send(*[request] * 500), run.process._gateway is None)[1], "its loss")
    assert_gateway_is_lost(run)


def assert_gateway_is_lost(run: Run) -> None:
    with pytest.raises(PipeClosedError):
        until(run.take, "its end")
    run.serve_anew()
    run.greet()
    until(lambda: run.read() == [Kind.TERMS, Kind.GAP], "the gap")


def test_every_session_ends_with_its_gateway(run):
    run.greet()
    run.gateway._socket.close()
    until(lambda: run.process._gateway is None, "the loss")
    run.serve_anew()
    run.send((SESSION, b"", encode_message(Read(run.auction, 0)), b"", b""))
    assert run.next_reply().code == "no_session"
    run.greet()
    assert run.read() == [Kind.TERMS, Kind.GAP]


def test_another_verifier_takes_the_place_of_a_dead_one_whose_last_words_count(run):
    run.greet()
    run.send(run.join())
    run.verifier._socket.close()
    assert isinstance(run.next_reply(), Acknowledged)
    run.verifier = run.pair(VerifierPipe(0))
    assert run.read() == [Kind.TERMS, Kind.JOINED]


def test_a_full_store_answers_nothing_says_so_once_and_goes_on_when_there_is_room(run):
    run.greet()
    join = run.join()
    run.process._store.trouble = StoreFullError
    run.send(join, number=1)
    assert run.hear() == StoreFull("for the test")
    run.send(join, number=2)
    until(lambda: (run.take(), 2 in run.answered)[1], "the second chunk")
    assert not [item for item in run.operations if isinstance(item, ToSession)]
    run.process._store.trouble = None
    run.send(join, number=3)
    assert isinstance(run.next_reply(), Acknowledged)
    assert run.read() == [Kind.TERMS, Kind.JOINED]
    run.control.settimeout(0.01)
    with pytest.raises(PipeClosedError):
        run.hear()
    run.control.settimeout(None)


def test_a_broken_store_ends_the_process(run):
    run.greet()
    run.process._store.trouble = StoreBrokenError
    run.send(run.join())
    run.thread.join(30)
    assert isinstance(run.ended_with[0], StoreBrokenError)


def test_a_store_full_at_the_announcement_leaves_the_lot_out(prepare, monkeypatch):
    run = prepare()
    monkeypatch.setattr(TroubledStore, "trouble", StoreFullError)
    run.thread.start()
    run.verifier = run.pair(VerifierPipe(0))
    run.serve_anew()
    assert run.hear() == Opened([])
    assert isinstance(run.hear(), StoreFull)
    assert run.hear() == Listening([])


def test_it_ends_with_its_supervisor(run):
    run.control.close()
    run.thread.join(30)
    assert isinstance(run.ended_with[0], PipeClosedError)


def test_an_unknown_type_is_refused(run):
    run.greet()
    run.send((SESSION, b"", b"\x91\xa5dance", b"", b""))
    reply = run.next_reply()
    assert isinstance(reply, Refused)
    assert message_type(encode_message(reply)) == "refused"
    assert reply.code == "unknown_type"


def test_the_registry_is_read_beside_the_catalogue_and_grows_with_the_allow_list(run):
    run.greet()
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED]
    questions = [encode_message(Read(REGISTRY_ID, 0)), encode_message(List(0))]
    run.send(*[(SESSION, b"", body, b"", b"") for body in questions])
    assert {type(run.next_reply()) for _ in questions} == {Entries, Catalogue}
    run.allow(Entry(ANN.identity, "ann", "bidder+seller"), Entry(key_of("ben").identity, "ben"))
    assert len(run.next(Admit).transports) == 3
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED, Kind.ROLE, Kind.ADMITTED]


def test_a_seller_that_was_let_in_sells_and_the_same_terms_again_sell_nothing_more(run):
    run.allow(Entry(ANN.identity, "ann", "seller"))
    run.next(Admit)
    run.greet("seller")
    lot = replace(LOT, listing="bowl")
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    terms = sign_terms(lot, HOUSE_KEY.identity.signing, HOUSE_KEY.escrow_public, ANN, entropy)
    for _ in range(2):
        run.send((SESSION, ANN.identity.signing, *terms, b""))
        reply = run.next_reply()
        assert isinstance(reply, Acknowledged)
        assert [(each.auction, each.receipts[0].index) for each in reply.logs] == [(command_id(terms.body), 0)]
    assert run.read(command_id(terms.body)) == [Kind.TERMS]
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED, Kind.ROLE, Kind.ANNOUNCED]


def test_what_the_registry_could_not_say_while_the_store_was_full_is_said_when_there_is_room(run):
    run.greet()
    run.process._store.trouble = StoreFullError
    run.allow(Entry(ANN.identity, "ann"), Entry(key_of("ben").identity, "ben"))
    assert run.hear() == StoreFull("for the test")
    assert len(run.next(Admit).transports) == 3, "whoever is on the list may come in all the same, and the house"
    run.process._store.trouble = None
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED, Kind.ADMITTED]
    assert len(list(run.process._store.read("registry"))) == 3


def hear_news(run: Run, kind: type) -> Any:
    while not isinstance(report := run.hear(news=True), kind):
        pass
    return report


def test_it_gives_a_sign_of_life_each_second_and_says_whether_it_can_be_reached(run):
    assert hear_news(run, Alive) == Alive(True, 1)
    run.gateway.abandon()
    until(lambda: hear_news(run, Alive) == Alive(False, 1), "a sign of life without a gateway")


def test_who_comes_in_is_told_once(run):
    run.greet()
    assert hear_news(run, Admitted) == Admitted("ann", "bidder")
    run.greet()
    tell_child(run.control, Reload(10, 1_000, [LOT]))
    while not isinstance(report := run.hear(news=True), Reloaded):
        assert not isinstance(report, Admitted)


def test_new_lots_are_announced_and_new_limits_hold(run):
    lamp = LotDescription("lamp", "A lamp", "credits", 1, start_timeout_ns=SECOND_NS // 10)
    other_vase = LotDescription("vase", "Another vase", "credits", 1, min_bidders=2, duration_ns=3_600 * SECOND_NS)
    tell_child(run.control, Reload(2, 77, [other_vase, lamp], 5))
    reloaded = run.hear()
    assert isinstance(reloaded, Reloaded)
    assert [(each.listing, each.is_resumed, each.differs) for each in reloaded.auctions] == [
        ("vase", True, ("title",)),
        ("lamp", False, ()),
    ]
    assert run.process._house.limits == Limits(2, 77)
    assert run.process._retention_ns == 5
    turned = hear_news(run, Turned)
    assert (turned.listing, turned.title, turned.phase, turned.end_reason) == ("lamp", "A lamp", "closed", "cancelled")


@pytest.mark.parametrize(
    ("limit", "lots", "reason"),
    [
        (1, [LOT, LotDescription("lamp", "A lamp", "credits", 1)], "1 new lots and 1 running auctions"),
        (10, [LOT, LotDescription("lamp", "A lamp", "credits", 1, duration_ns=0)], "duration"),
    ],
)
def test_what_is_wrong_with_a_reload_leaves_everything_as_it_was(run, limit, lots, reason):
    tell_child(run.control, Reload(limit, 5, lots, 5))
    kept = run.hear()
    assert isinstance(kept, SettingsKept)
    assert reason in kept.reason
    assert run.process._house.limits == Limits(10, 1_000)
    assert run.process._retention_ns == 0
    assert len(run.process._house.logs) == 1


def test_a_reload_has_another_look_at_the_allow_list(run, tmp_path):
    (tmp_path / "allow").write_text("nonsense\n")
    tell_child(run.control, Reload(10, 1_000, [LOT]))
    assert {type(run.hear()) for _ in range(2)} == {Reloaded, AllowListKept}


def test_a_gateway_that_ends_gets_the_last_word_behind_every_answer(run):
    run.greet()
    join = run.join()
    run.send(join, number=5)
    until(lambda: run.process._house.logs[0].auction.present, "the joining")
    run.gateway.send(encode(Ending()))
    order = [type(run.next(object)) for _ in range(2)]
    assert order == [ToSession, LastWord]
    assert run.answered[-1] == 5


def test_what_is_queued_when_it_is_told_to_stop_is_made_durable(prepare, tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "BATCH_REQUESTS", 1)
    run = prepare().begin()
    run.greet()
    before = [Request(99, b"", encode_message(List(0)), b"", b"") for _ in range(500)]
    run.process._queue.extend([*before, Request(*run.join())])
    tell_child(run.control, Stop())
    run.thread.join(30)
    store = SqliteStore(tmp_path / "state")
    assert [decode(entry).kind for entry in store.read(f"auction/{run.auction.hex()}")] == [Kind.TERMS, Kind.JOINED]
    assert store.wal_bytes == 0
    store.close()
