"""The network and the gateway: connections, what is lost and repeated in them, sessions by number.

Rule: the gateway holds nothing of worth. What is under way in a connection ends with it; all connections end with the
gateway. It answers pings, keeps out who has not been greeted, checks signatures (the verifiers' part) and hands the
rest to the house, as :mod:`auctionctl.net.gateway` does.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from plan import Weather
from timeline import SECOND_NS

from auctionctl.auction.bid import decode_bid, decode_join
from auctionctl.auction.command_id import command_id
from auctionctl.house.intake import Request, refused
from auctionctl.keys.allowlist import AllowList
from auctionctl.net.hops import Following, Known, ToFollowers, ToSession
from auctionctl.wire.frames import Message, is_signed_by, message_type
from auctionctl.wire.messages import Hello, Ping, Pong, Refused, decode_request, encode

if TYPE_CHECKING:
    from clients import Client
    from world import World

Operation = ToSession | ToFollowers | Following | Known

SILENCE_NS: Final = 15 * SECOND_NS
SWEEP_NS: Final = SECOND_NS
_NO_SESSION: Final = Message(encode(Refused("no_session", "say hello first")))
_STRIPPED: Final = frozenset({"bid", "join"})


class Connection:
    """One connection of one person; ``identity`` is empty until the house has accepted its hello."""

    __slots__ = ("follows", "heard_ns", "identity", "is_open", "last_arrival_ns", "number", "person")

    def __init__(self, number: int, person: Client, now_ns: int) -> None:
        self.number = number
        self.person = person
        self.is_open = True
        self.identity = b""
        self.heard_ns = now_ns
        self.follows: set[bytes] = set()
        self.last_arrival_ns = [0, 0]


class Wires:
    """Every message in either direction passes here."""

    def __init__(self, world: World, weather: Weather, rng: random.Random) -> None:
        self._world = world
        self._weather = weather
        self._rng = rng
        self.is_calm = False

    def carry(self, connection: Connection, way: int, message: Message) -> None:
        """``way`` 0 is to the house, 1 from it."""
        world, weather, chance = self._world, self._weather, self._rng.random
        copies, wait_ns = 1, weather.delay_ns
        if not self.is_calm:
            if connection.person.is_cut or (weather.loss and chance() < weather.loss):
                world.tally["messages lost"] += 1
                return
            if weather.duplication and chance() < weather.duplication:
                copies = 2
        for _ in range(copies):
            delay_ns = wait_ns + int(chance() * weather.jitter_ns)
            if weather.spike and not self.is_calm and chance() < weather.spike:
                delay_ns += int(chance() * weather.spike_ns)
            at_ns = world.timeline.now_ns + delay_ns
            if not weather.is_reordering or self.is_calm:
                at_ns = connection.last_arrival_ns[way] = max(at_ns, connection.last_arrival_ns[way])
            world.timeline.at(at_ns, self._arrive, connection, way, message)

    def _arrive(self, connection: Connection, way: int, message: Message) -> None:
        if not connection.is_open:
            return
        if way:
            connection.person.hear(connection, message)
        elif self._world.gateway is not None:
            self._world.gateway.take(connection, message)


class Gateway:
    """One life of the gateway; its sessions are numbered on from those of the one before."""

    def __init__(self, world: World, first_session: int) -> None:
        self.first_session = first_session
        self.next_session = first_session
        self._world = world
        self._offset_ns = world.wall_offset_ns
        self._connections: dict[int, Connection] = {}
        self._followers: dict[bytes, dict[int, Connection]] = {}
        self._allowed = world.allowed
        world.timeline.after(SWEEP_NS, self._sweep)

    @property
    def _is_alive(self) -> bool:
        return self._world.gateway is self

    def admits(self, person: Client) -> bool:
        """Whether the handshake of this person's key succeeds."""
        return self._allowed.by_signing(person.key.identity.signing) is not None

    def admit(self, allowed: AllowList) -> None:
        """The house lets in these, and from now on nobody else."""
        if allowed is self._allowed:
            return
        self._allowed = allowed
        for connection in list(self._connections.values()):
            if not self.admits(connection.person):
                self.close(connection)
                connection.person.lose(connection)

    def accept(self, person: Client) -> Connection:
        """A handshake has succeeded."""
        connection = Connection(self.next_session, person, self._world.timeline.now_ns)
        self.next_session += 1
        self._connections[connection.number] = connection
        return connection

    def close(self, connection: Connection) -> None:
        """The connection has ended, from whichever side; the house is told if that had begun to speak."""
        if not connection.is_open:
            return
        connection.is_open = False
        self._connections.pop(connection.number, None)
        for auction in connection.follows:
            self._followers[auction].pop(connection.number, None)
        self._world.shell.take(Request(connection.number, b"", b"", b""))

    def crash(self) -> None:
        """Everything that was under way is gone."""
        rng = self._world.rng
        for connection in list(self._connections.values()):
            connection.is_open = False
            self._world.timeline.after(rng.randint(0, SECOND_NS // 4), connection.person.lose, connection)
        self._connections.clear()

    def _sweep(self) -> None:
        if not self._is_alive:
            return
        now_ns = self._world.timeline.now_ns
        for connection in list(self._connections.values()):
            if now_ns - connection.heard_ns > SILENCE_NS:
                self.close(connection)
                connection.person.lose(connection)
        self._world.timeline.after(SWEEP_NS, self._sweep)

    # From sessions

    def take(self, connection: Connection, message: Message) -> None:
        """One message of a session."""
        connection.heard_ns = self._world.timeline.now_ns
        body, signature = message
        name = message_type(body)
        if not connection.identity and name != "hello":
            self._send(connection, _NO_SESSION)
        elif name == "ping":
            ping = decode_request(body)
            assert isinstance(ping, Ping)
            self._send(connection, Message(encode(Pong(ping.token, connection.heard_ns + self._offset_ns))))
        elif name == "bye":
            self.close(connection)
            connection.person.lose(connection)
        else:
            signer = connection.identity if signature else b""
            transport = b""
            if name == "hello":
                hello = decode_request(body)
                assert isinstance(hello, Hello)
                signer, transport = hello.identity, connection.person.key.identity.transport
            if signer and not is_signed_by(signer, body, signature):
                self._send(connection, refused("bad_signature", "not by the session's identity", command_id(body)))
                return
            if name in _STRIPPED:
                self._note(name, body)
            self._world.shell.take(Request(connection.number, signer, body, signature, transport))

    def _note(self, name: str, body: bytes) -> None:
        command = decode_bid(body) if name == "bid" else decode_join(body)
        self._world.tally[f"{name}s sent"] += 1
        self._world.trace("sent", name, command.bidder[:4].hex(), command.auction[:4].hex(), command_id(body)[:4].hex())

    # From the house

    def perform(self, operations: list[Operation]) -> None:
        """What one turn of the house says, in its order."""
        for operation in operations:
            if isinstance(operation, ToSession):
                connection = self._connections.get(operation.session)
                if connection is not None:
                    self._send(connection, Message(operation.body, operation.signature))
            elif isinstance(operation, ToFollowers):
                message = Message(operation.body)
                for connection in list(self._followers.get(operation.auction, {}).values()):
                    self._send(connection, message)
            elif isinstance(operation, Following):
                connection = self._connections.get(operation.session)
                if connection is not None:
                    connection.follows.update(operation.auctions)
                    for auction in operation.auctions:
                        self._followers.setdefault(auction, {})[connection.number] = connection
            else:
                connection = self._connections.get(operation.session)
                if connection is not None:
                    connection.identity = operation.identity

    def _send(self, connection: Connection, message: Message) -> None:
        self._world.wires.carry(connection, 1, message)
