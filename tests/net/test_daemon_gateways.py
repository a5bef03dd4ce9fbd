"""A house with several gateways: one may go and come, and only where none is left does time stand still."""

from __future__ import annotations

import pytest
from daemon_run import ANN, SESSION, Run
from house_process import HOUSE_KEY, key_of, until

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.keys.allowlist import Entry
from auctionctl.keys.signing import SecretKey
from auctionctl.net.child_words import GatewayPipe, encode
from auctionctl.net.chunks import SESSIONS_A_GATEWAY, Checked
from auctionctl.net.hops import Admit, Following, Mute, Serving, ToFollowers, ToSession, decode_release
from auctionctl.net.pipes import Pipe
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.messages import List, Read, Subscribe, decode_reply
from auctionctl.wire.messages import encode as encode_message
from auctionctl.wire.session import ClientGreeting

BEN = key_of("ben")
OF_SECOND = SESSIONS_A_GATEWAY + 7


class Second:
    """Another gateway of the same house."""

    def __init__(self, run: Run, number: int = 1) -> None:
        self.run = run
        self.number = number
        self.pipe: Pipe = run.pair(GatewayPipe(number * SESSIONS_A_GATEWAY, "gateway 1"))
        self.operations: list = []
        self.next(Admit)
        self.pipe.send(encode(Serving()))

    def next(self, kind: type) -> object:
        def found() -> object:
            self.operations += [each for frame in self.pipe.receive() for each in decode_release(frame).operations]
            return next((each for each in self.operations if isinstance(each, kind)), None)

        operation = until(found, f"a {kind.__name__}")
        self.operations = self.operations[self.operations.index(operation) + 1 :]
        return operation

    def send(self, *requests: tuple[int, bytes, bytes, bytes, bytes]) -> None:
        self.run.verifier.send(encode(Checked(self.number * SESSIONS_A_GATEWAY, list(requests), [])))

    def greet(self, session: int, key: SecretKey) -> None:
        body, signature = ClientGreeting(key, HOUSE_KEY.identity, "bidder").hello(bytes(16), 0)
        self.send((session, key.identity.signing, body, signature, key.identity.transport))
        self.next(ToSession)


@pytest.fixture
def second(run: Run) -> Second:
    run.allow(Entry(ANN.identity, "ann"), Entry(BEN.identity, "ben"))
    run.next(Admit)
    return Second(run)


def test_one_gateway_lost_ends_its_own_sessions_alone_and_no_deadline_stands_still(run, second):
    run.greet()
    second.greet(OF_SECOND, BEN)
    second.pipe._socket.close()
    until(lambda: len(run.process._gateways) == 1, "the loss")
    assert set(run.process._house.presence.peers) == {SESSION}
    another = Second(run, 2)
    another.greet(2 * SESSIONS_A_GATEWAY, BEN)
    assert run.read() == [Kind.TERMS]


def test_the_loss_of_one_gateway_is_nobodys_disconnection(run, second):
    second.greet(OF_SECOND, BEN)
    lost_after_ns = run.process._clock.now_ns()
    second.pipe._socket.close()
    until(lambda: len(run.process._gateways) == 1, "the loss")
    gone_ns = run.process._house.presence.next_ns()
    assert gone_ns - lost_after_ns >= PRESENCE_GRACE_NS > 5 * SECOND_NS, "who was on it has time to come by another"


def test_with_the_last_gateway_time_stands_still_until_one_serves_again(run, second):
    run.greet()
    second.pipe._socket.close()
    until(lambda: len(run.process._gateways) == 1, "the loss")
    silent = run.pair(GatewayPipe(3 * SESSIONS_A_GATEWAY, "gateway 1"))  # It is joined, and does not serve.
    run.gateway._socket.close()
    until(lambda: run.process._house.get_timer() is None, "the loss of the last one that served")
    assert not run.process._house.presence.peers
    silent.send(encode(Serving()))
    until(lambda: run.process._house.get_timer() is not None, "the return")
    run.serve_anew(4 * SESSIONS_A_GATEWAY)
    number = 4 * SESSIONS_A_GATEWAY
    body, signature = ClientGreeting(ANN, HOUSE_KEY.identity, "bidder").hello(bytes(16), 0)
    run.send((number, ANN.identity.signing, body, signature, ANN.identity.transport), number=number)
    assert run.next(ToSession).session == number
    run.send((number, b"", encode_message(Read(run.auction, 0)), b"", b""), number=number)
    entries = decode_reply(run.next(ToSession).body).entries
    assert [decode(entry).kind for entry in entries] == [Kind.TERMS, Kind.GAP]


def test_no_gateway_speaks_for_the_sessions_of_another(run, second):
    run.greet()
    second.send((SESSION, b"", b"", b"", b""), (SESSION, b"", encode_message(List(0)), b"", b""))
    second.greet(OF_SECOND, BEN)
    assert set(run.process._house.presence.peers) == {SESSION, OF_SECOND}
    run.take()
    assert not [each for each in run.operations if isinstance(each, ToSession)]


def test_what_is_followed_by_one_gateway_is_published_there_and_a_mute_holds_at_all(run, second):
    run.greet()
    second.greet(OF_SECOND, BEN)
    second.send((OF_SECOND, b"", encode_message(Subscribe((run.auction,))), b"", b""))
    second.next(Following)
    run.send(run.join())
    assert second.next(ToFollowers).auction == run.auction
    run.take()
    assert not [each for each in run.operations if isinstance(each, ToFollowers)]
    run.send(forged=((SESSION, bytes(32)),) * 5)
    assert run.next(Mute) == second.next(Mute)
