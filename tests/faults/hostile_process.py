"""A client that means harm, in a process of its own: ``ATTACK ADDRESS AUCTION SECONDS``, under the key of its attack.

Each is what a modified client can do with libzmq or bare sockets, as fast as it can unless said otherwise.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from secrets import token_bytes
from types import MappingProxyType

import zmq
from house_process import key_of

from auctionctl.auction.bid import Bid, encode_bid
from auctionctl.keys.signing import SecretKey
from auctionctl.net.dealer import configure
from auctionctl.wire.address import HouseAddress, parse_address
from auctionctl.wire.frames import message_type, sign_body
from auctionctl.wire.messages import Read, Subscribe
from auctionctl.wire.messages import encode as encode_message
from auctionctl.wire.session import ClientGreeting

SOCKETS = 64
ENDLESS_FRAMES = 60_000
"""Nearly a gigabyte."""
LIMIT_A_SECOND = 20
"""Bids that a house lets one identity make."""
CROWD = tuple(f"crowd-{number}" for number in range(10))


class Attacker:
    """One key, and its connections to one house for so many seconds."""

    def __init__(self, key: SecretKey, address: HouseAddress, auction: bytes, seconds: float) -> None:
        self.key = key
        self.address = address
        self.auction = auction
        self.end_s = time.monotonic() + seconds
        self.context = zmq.Context()
        self.numbers = random.Random(7)

    def turns(self, pause_s: float = 0.0) -> Iterator[None]:
        while time.monotonic() < self.end_s:
            yield
            if pause_s:
                time.sleep(pause_s)

    def dealer(self, key: SecretKey | None = None) -> zmq.Socket[bytes]:
        dealer = self.context.socket(zmq.DEALER)
        configure(dealer, self.address, key or self.key)
        dealer.setsockopt(zmq.SNDHWM, 1_000)
        dealer.setsockopt(zmq.IMMEDIATE, 0)
        dealer.connect(self.address.endpoint)
        return dealer

    def greet(self, dealer: zmq.Socket[bytes]) -> None:
        greeting = ClientGreeting(self.key, self.address.identity, "bidder")
        dealer.send_multipart(greeting.hello(token_bytes(16), time.time_ns()))

    def tcp(self) -> socket.socket:
        return socket.create_connection((self.address.host, self.address.port), 5)


def strangers(attacker: Attacker) -> None:
    """Keys that nobody knows, knocking one after the other."""
    for _ in attacker.turns():
        dealers = [attacker.dealer(SecretKey(token_bytes(32))) for _ in range(SOCKETS)]
        for dealer in dealers:
            dealer.poll(5)
        for dealer in dealers:
            dealer.close(linger=0)


def flood(attacker: Attacker) -> None:
    """Signed bids at ten times the rate that one identity may have."""
    dealer = attacker.dealer()
    attacker.greet(dealer)
    dealer.poll(5_000)
    house, mine = attacker.address.identity.signing, attacker.key.identity.signing
    for seq, _ in enumerate(attacker.turns(1 / (10 * LIMIT_A_SECOND)), 1):
        now_ns = time.time_ns()
        bid = Bid(house, attacker.auction, mine, seq, 1 + seq % 7, "credits", now_ns, now_ns + 20_000_000_000)
        with contextlib.suppress(zmq.Again):
            dealer.send_multipart(sign_body(attacker.key, encode_bid(bid)), zmq.NOBLOCK)
        while dealer.poll(0):
            dealer.recv_multipart()


def crowd(attacker: Attacker) -> None:
    """Many listed keys at once, each at ten times its rate, and so all together at ten times that of the house."""
    now_ns = time.time_ns()
    ready = []
    for name in CROWD:
        key = key_of(name)
        dealer = attacker.dealer(key)
        greeting = ClientGreeting(key, attacker.address.identity, "bidder")
        dealer.send_multipart(greeting.hello(token_bytes(16), now_ns))
        house, mine = attacker.address.identity.signing, key.identity.signing
        bid = Bid(house, attacker.auction, mine, 1, 1, "credits", now_ns, now_ns + 20_000_000_000)
        ready.append((dealer, sign_body(key, encode_bid(bid))))
    sent, refused = 0, 0
    for _ in attacker.turns(1 / (12 * LIMIT_A_SECOND)):  # A turn takes a little longer than its pause.
        for dealer, message in ready:
            with contextlib.suppress(zmq.Again):
                dealer.send_multipart(message, zmq.NOBLOCK)
                sent += 1
            while dealer.poll(0):
                refused += message_type(dealer.recv_multipart()[0]) == "refused"
    print(sent, refused, flush=True)


def endless(attacker: Attacker) -> None:
    """Messages of ever more frames. libzmq keeps one to itself until it is whole, so each has an end, far away."""
    dealer = attacker.dealer()
    attacker.greet(dealer)
    dealer.poll(5_000)
    frame = zmq.Frame(bytes(16_000))
    for _ in attacker.turns(0.1):
        if dealer.poll(20, zmq.POLLOUT):
            for _ in range(ENDLESS_FRAMES):
                dealer.send(frame, zmq.NOBLOCK | zmq.SNDMORE, copy=False)
            dealer.send(frame, zmq.NOBLOCK, copy=False)


def half_open(attacker: Attacker) -> None:
    """Connections that say nothing, or half a greeting, or nothing after their handshake."""
    kept: list[socket.socket] = []
    dealers = [attacker.dealer() for _ in range(8)]
    for _ in attacker.turns(0.02):
        for greeting in (b"", b"\xff" + bytes(8) + b"\x7f"):
            with contextlib.suppress(OSError):
                kept.append(attacker.tcp())
                kept[-1].sendall(greeting)
        while len(kept) > 300:
            kept.pop(0).close()
    for end in [*kept, *dealers]:
        end.close()


def slow_reader(attacker: Attacker) -> None:
    """Asks and asks, and reads none of the answers."""
    dealer = attacker.context.socket(zmq.DEALER)
    configure(dealer, attacker.address, attacker.key)
    dealer.setsockopt(zmq.HEARTBEAT_IVL, 0)  # Its own would end it.
    dealer.setsockopt(zmq.RCVHWM, 1)
    dealer.setsockopt(zmq.RCVBUF, 4_096)
    dealer.connect(attacker.address.endpoint)
    dealer.poll(5_000, zmq.POLLOUT)
    attacker.greet(dealer)
    dealer.poll(5_000)
    dealer.send_multipart([encode_message(Subscribe((attacker.auction,))), b""])
    for _ in attacker.turns(0.001):
        with contextlib.suppress(zmq.Again):
            dealer.send_multipart([encode_message(Read(attacker.auction, 0)), b""], zmq.NOBLOCK)


def oversize(attacker: Attacker) -> None:
    """Frames that are larger than any may be."""
    dealer = attacker.dealer()
    cut = dealer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    frame = bytes(1 << 20)
    for _ in attacker.turns(0.01):
        if cut.poll(0):
            cut.recv_multipart()
            print("cut", flush=True)
        with contextlib.suppress(zmq.Again):
            dealer.send_multipart([frame, b""], zmq.NOBLOCK)


def garbage(attacker: Attacker) -> None:
    """Bytes that mean nothing: to the socket, and in messages."""
    dealer = attacker.dealer()
    attacker.greet(dealer)
    for count, _ in enumerate(attacker.turns(0.001)):
        noise = attacker.numbers.randbytes(attacker.numbers.randrange(1, 4_000))
        if count % 4 == 0:
            with contextlib.suppress(OSError), attacker.tcp() as end:
                end.sendall(noise)
        with contextlib.suppress(zmq.Again):
            dealer.send_multipart([noise] * attacker.numbers.randrange(1, 5), zmq.NOBLOCK)
        while dealer.poll(0):
            dealer.recv_multipart()


ATTACKS: MappingProxyType[str, Callable[[Attacker], None]] = MappingProxyType(
    {each.__name__: each for each in (strangers, flood, endless, half_open, slow_reader, oversize, garbage)}
)


def main(attack: str, address: str, auction: str, seconds: str) -> None:
    print("ready", flush=True)
    attacker = Attacker(key_of(attack), parse_address(address), bytes.fromhex(auction), float(seconds))
    (ATTACKS | {"crowd": crowd})[attack](attacker)
    os._exit(0)  # Nothing here is worth waiting for.


if __name__ == "__main__":
    main(*sys.argv[1:])
