"""Messages that are well formed and mean something else: each is refused, under the right code, and changes nothing.

A field is exchanged, moved, or set to what somebody would gain by; then the message is signed anew by whoever has the
session (the verifier has nothing against it, the rules must), or not (the verifier names it). At the end the message
itself, unspoilt, is accepted: nothing but the mutation was wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from scenes import FORGED, SCENES, Scene, scene, send, state

from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.commands import AnyCommand
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.terms import Terms
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import Revoke, Rotate
from auctionctl.wire.frames import Message, domain, sign_body
from auctionctl.wire.messages import Finish, Hello

STRANGER = SecretKey(b"stranger".ljust(32, b"."))
BAD_SHAPE = "malformed"
OF_KEYS = {"revoke": "not_revoked", "rotate": "not_rotated", "finish": BAD_SHAPE}
"""What changes keys, or is brought for a former one → how it is refused if it means something else."""
SHAPES: dict[str, type[msgspec.Struct]] = {
    str(each.__struct_config__.tag): each
    for each in (Bid, Join, Hello, Terms, Revoke, Rotate, Finish, *AnyCommand.__args__)
}
NOT_PUT_IN_WORDS = {"placed_at_ns", "head_size", "head_root", "nonce", "reason", "reference", "time_ns", "lot", "rules"}
"""Fields whose value is the signer's affair, or nobody's that looks at one message alone: only their form is wrong."""


class Mutant(NamedTuple):
    """What was done, what became of it, and the code that it deserves."""

    what: str
    message: Message
    expected: str
    session: int | None = None


def parts(body: bytes) -> list[Any]:
    found: list[Any] = msgspec.msgpack.decode(body)
    return found


def made_of(values: list[Any]) -> bytes:
    return msgspec.msgpack.encode(values)


class Mutants:
    """All that is tried on the message of one scene."""

    def __init__(self, of: Scene, staging: Any) -> None:
        self.of = of
        self.stage = of.stage
        self.values = parts(of.message.body)
        self.name: str = self.values[0]
        self.fields = ["", *SHAPES[self.name].__struct_fields__]
        logs = self.stage.house.logs
        self.sold_before = next(
            (log.auction.terms.listing for log in logs if log.auction.terms.seller == of.key.identity.signing), ""
        )
        self.ben, self.sue = staging.key_of("ben"), staging.key_of("sue")

    def with_field(self, name: str, value: Any) -> bytes:
        values = list(self.values)
        values[self.fields.index(name)] = value
        return made_of(values)

    def value(self, name: str) -> Any:
        return self.values[self.fields.index(name)]

    def __iter__(self) -> Iterator[Mutant]:
        for what, body, expected in (*self._meanings(), *self._forms(), *self._exchanged()):
            assert body != self.of.message.body, what
            yield Mutant(f"{what}, signed anew", sign_body(self.of.key, body), expected)
            yield Mutant(f"{what}, signature kept", Message(body, self.of.message.signature), self._unsigned(body))
        yield from self._signatures()
        yield from self._types()

    def _unsigned(self, body: bytes) -> str:
        """Without an array of this type at its beginning it is nothing that needs a signature."""
        return FORGED if body[0] & 0xF0 == 0x90 and body[1:].startswith(made_of([self.name])[1:]) else "unknown_type"

    # What a field says

    def _meanings(self) -> Iterator[tuple[str, bytes, str]]:
        for name in self.fields[1:]:
            for value, expected in self._others(name):
                if value != self.value(name):
                    yield f"{name} = {value!r:.40}", self.with_field(name, value), expected

    def _others(self, name: str) -> Iterator[tuple[Any, str]]:
        keys = (
            self.ben.identity.signing,
            self.sue.identity.signing,
            STRANGER.identity.signing,
            bytes(32),
            b"\xff" * 32,
        )
        ids = (*keys, *self.of.elsewhere.values(), self.stage.key.identity.signing)
        match name:
            case "house":
                wrong = ({"hello": "not_authorised", "terms": "terms"} | OF_KEYS).get(self.name, "wrong_house")
                yield from (
                    (each, wrong) for each in (*keys, *self.of.elsewhere.values(), self.of.key.identity.signing)
                )
            case "auction":
                yield from ((each, "no_such_auction") for each in (*keys, self.stage.key.identity.signing))
                for where, each in self.of.elsewhere.items():
                    yield each, self._elsewhere(where)
            case "bidder" if self.name == "offer":
                yield from ((each, "not_next_bidder") for each in (*keys, self.of.key.identity.signing))
            case "key" if self.name == "revoke":
                transports = (self.ben.identity.transport, self.sue.identity.transport, self.of.key.identity.transport)
                wrong_ones = (*keys[2:], *self.of.elsewhere.values(), *transports, self.stage.key.identity.signing)
                yield from ((each, "not_revoked") for each in wrong_ones)
            case "signing" | "transport" | "consent" if self.name == "rotate":
                signed = self.value("consent")
                others = (bytes(64), signed[::-1], self.of.key.sign(domain("succeed") + self.of.message.body))
                yield from ((each, "not_rotated") for each in (others if name == "consent" else keys))
            case "command" | "signature":
                yield from ((each, BAD_SHAPE) for each in (self.value(name)[::-1], bytes(64), b"\xff" * 64))
            case "bidder" | "actor" | "identity" | "key":
                # Signed by somebody else than the field says: a hello is checked under that key, a command is not.
                wrong = {"hello": FORGED, "finish": BAD_SHAPE}.get(self.name, "not_authorised")
                yield from ((each, wrong) for each in (*ids, *self.of.elsewhere.values()))
            case "seller":
                yield from ((each, "terms") for each in (*keys, self.stage.key.identity.signing))
            case "listing":
                yield from ((each, "terms") for each in (self.sold_before, "", "A", "a b", "-a", "a" * 65, "ä", "a\n"))
            case "transport":
                yield from ((each, "not_authorised") for each in (*keys, self.ben.identity.transport))
            case "role":
                yield from ((each, "not_authorised") for each in ("seller", "operator", "bidder+seller", "", "x" * 32))
            case "version":
                yield from ((each, "not_authorised") for each in (0, 2, 2**31))
            case "payment":
                yield from ((each, "wrong_payment") for each in ids)
            case "offer":
                yield from ((each, "wrong_offer") for each in ids)
            case _:
                yield from self._numbers(name)

    def _elsewhere(self, where: str) -> str:
        """Why nothing of this comes to an auction that has ended, or not begun."""
        if self.name == "join":
            return "closed" if where == "ended" else ""  # The one that waits for bidders would take it.
        if self.name in ("bid", "pause", "resume", "cancel"):
            not_yet = {"bid": "not_open", "pause": "not_open", "resume": "not_paused"}
            return "closed" if where == "ended" else not_yet.get(self.name, "")
        return "no_sale"

    def _numbers(self, name: str) -> Iterator[tuple[Any, str]]:
        now_ns = self.stage.now_ns
        match name:
            case "seq":
                yield from ((each, "stale") for each in (1, 2, 3, 4, 5, 6))
                yield 7, "sequence_conflict"
            case "amount_minor" if self.name == "bid":
                amounts = (1, 10, 999, 1_000, 1_001, 1_499, 1_500, 1_501, 1_598, 1_599)
                yield from ((each, "below_increment") for each in amounts)
            case "amount_minor":
                wrong = "wrong_amount" if self.name == "pay" else "not_next_bidder"
                around = (self.value(name) - 1, self.value(name) + 1)
                yield from ((each, wrong) for each in (1, *around, 150_000, MAX_MINOR))
            case "bid_index":
                yield from ((each, "not_next_bidder") for each in (1, 2, 4, 5, 6, 8, 2**53))
            case "currency":
                wrong = {"bid": "wrong_currency", "pay": "wrong_amount", "offer": "not_next_bidder"}[self.name]
                yield from (
                    (each, wrong) for each in ("USD", "eur", "EUR ", " EUR", "EURO", "credits", "Е\u0055R", "E")
                )
            case "reputation_ppm":
                yield from ((each, "wrong_reputation") for each in (1, 500_000, 1_000_000))
            case "capacity":
                other = "operator" if self.value(name) == "seller" else "seller"
                yield other, "not_authorised"
            case "not_after_ns":
                ahead_ns = 10_000_000_000 if self.name in ("bid", "join") else 300_000_000_000
                for late_ns in (now_ns - 1, now_ns - 10**9, now_ns - 3600 * 10**9, now_ns // 2, 1, 0):
                    yield late_ns, "expired"
                for far_ns in (ahead_ns + 1, 3600 * 10**9, 366 * 86_400 * 10**9):
                    yield now_ns + far_ns, "not_after_too_far"
                yield 2**62, "not_after_too_far"
            case _:
                assert name in NOT_PUT_IN_WORDS, name

    # What no message of this type looks like

    def _forms(self) -> Iterator[tuple[str, bytes, str]]:
        unsigned = {"hello": FORGED, "terms": "terms"}.get(self.name, BAD_SHAPE)
        for position, name in enumerate(self.fields[1:], 1):
            value = self.values[position]
            for wrong in self._wrong_values(value):
                yield f"{name} = {wrong!r:.30}", self.with_field(name, wrong), unsigned
            yield f"without {name}", made_of(self.values[:position] + self.values[position + 1 :]), unsigned
            twice = self.values[: position + 1] + self.values[position:]
            yield f"{name} twice", made_of(twice), unsigned
        yield "a byte more", self.of.message.body + b"\0", unsigned
        yield "an element more", made_of([*self.values, None]), unsigned

    @staticmethod
    def _wrong_values(value: Any) -> Iterator[Any]:
        match value:
            case bytes():
                yield from (value[:-1] or b"1", value + b"\0" * 33, value.hex(), None, [value], 1)
            case int():
                yield from (-1, 2**62 + 1, 2**63, str(value), float(value), None, [value], True)
            case str():
                yield from (value + "x" * 300, value.encode(), None, 1, [value])
            case _:
                yield from (None, 1, b"", "", [], value[:1], [*value, None], [value], dict(enumerate(value)))

    def _exchanged(self) -> Iterator[tuple[str, bytes, str]]:
        """Two fields in each other's place: the values are those of an honest message."""
        keys = [name for name in self.fields[1:] if isinstance(self.value(name), bytes) and len(self.value(name)) == 32]
        for first in keys:
            for second in keys[keys.index(first) + 1 :]:
                values = list(self.values)
                one, other = self.fields.index(first), self.fields.index(second)
                values[one], values[other] = values[other], values[one]
                yield f"{first} and {second} exchanged", made_of(values), self._of_exchange(first, second)
        if "placed_at_ns" in self.fields:
            values = list(self.values)
            one, other = self.fields.index("placed_at_ns"), self.fields.index("not_after_ns")
            values[one], values[other] = values[other] + 1, values[one] - 1
            yield "placed_at_ns and not_after_ns exchanged", made_of(values), "expired"

    def _of_exchange(self, first: str, second: str) -> str:
        if self.name == "terms":
            return "terms"
        if self.name == "hello":
            return FORGED if "identity" in (first, second) else "not_authorised"
        if self.name in OF_KEYS:
            signer = {"revoke": "actor", "rotate": "key"}.get(self.name)
            return "not_authorised" if signer in (first, second) else OF_KEYS[self.name]
        if ({"actor", "bidder"} & {first, second} and self.name != "offer") or "actor" in (first, second):
            return "not_authorised"
        if "auction" in (first, second):
            return "no_such_auction"
        return "wrong_house"

    # Who signed it, and as what

    def _signatures(self) -> Iterator[Mutant]:
        body = self.of.message.body
        for who, key in (("ben", self.ben), ("a stranger", STRANGER), ("the house", self.stage.key)):
            if key.identity != self.of.key.identity:
                yield Mutant(f"signed by {who}", sign_body(key, body), FORGED)
        yield Mutant("not signed", Message(body), FORGED)
        yield Mutant("signed by nobody", Message(body, bytes(64)), FORGED)
        for other in sorted({*SHAPES, "welcome", "rejections_head", ""} - {self.name}):
            yield Mutant(f"signed as {other}", Message(body, self.of.key.sign(domain(other) + body)), FORGED)
        yield Mutant("signed without a domain", Message(body, self.of.key.sign(body)), FORGED)
        if self.name != "hello":
            # Word for word, in somebody else's session.
            for session in self.stage.house.presence.peers:
                if session != self.of.session:
                    yield Mutant(f"from session {session}", self.of.message, FORGED, session)

    def _types(self) -> Iterator[Mutant]:
        """The same fields under the name of another type, with the signature as it is."""
        for other in sorted({*SHAPES, "nothing"} - {self.name}):
            body = made_of([other, *self.values[1:]])
            yield Mutant(f"as {other}", Message(body, self.of.message.signature), _of_type(other, self.of))


def _of_type(other: str, of: Scene) -> str:
    if of.session not in of.stage.house.presence.peers:
        return "no_session"
    return "unknown_type" if other == "nothing" else FORGED


@pytest.fixture(scope="module")
def outcomes(say_at_the_end: Callable[[str], None]) -> Iterator[Counter[str]]:
    """How often which code was given; told at the end."""
    counted: Counter[str] = Counter()
    yield counted
    told = ", ".join(f"{code} {count}" for code, count in counted.most_common())
    say_at_the_end(f"semantic mutations of {len(SCENES)} kinds of messages: {counted.total()} refused ({told})")


@pytest.mark.parametrize("name", SCENES)
def test_what_means_something_else_is_refused_with_its_code_and_changes_nothing(
    staging: Any, outcomes: Counter[str], name: str
) -> None:
    of = scene(staging, name)
    stage, transport = of.stage, of.key.identity.transport
    before = state(stage)
    count = 0
    for mutant in Mutants(of, staging):
        if not mutant.expected:
            continue
        session = of.session if mutant.session is None else mutant.session
        found = send(stage, session, mutant.message, transport)
        assert found == [mutant.expected], mutant.what
        assert state(stage) == before, mutant.what
        outcomes[mutant.expected] += 1
        count += 1
    assert send(stage, of.session, of.message, transport) == [], "unspoilt, it is accepted"
    assert state(stage) != before
    assert count > 150
