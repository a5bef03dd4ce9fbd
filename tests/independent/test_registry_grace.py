"""A log that instances take over from one another and the registry may be 5 s apart; any other log, by nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.bid import decode_join
from auctionctl.auction.commands import decode_command
from auctionctl.auction.events import Takeover, decode_event, encode_event
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import VerificationError
from auctionctl.replica.conduct import Deeds
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import (
    REGISTRY,
    Admitted,
    Conduct,
    RegistryEvent,
    Revoke,
    RoleChanged,
    encode_registry_event,
    kind_of,
    rotation,
)
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, decode, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import sign_body

MS = SECOND_NS // 1_000
WITHIN, BEYOND = 4_900 * MS, 5_100 * MS
HAPPENS = "paused by an operator, and resumed"
STRANGER_PPM, PAID_PPM = 500_000, 833_333


@pytest.fixture
def operated(stage: Any, staging: Any, plays: Any, book_of: Any) -> Any:
    """The book of an auction that otto has paused and let go on; ann signed its last bid."""
    return book_of(stage, plays.perform(stage, staging, plays.PAUSES[HAPPENS]))


@pytest.fixture
def registered(stage: Any, staging: Any) -> Callable[..., bytes]:
    """The registry as of before it says anything of bidders, with one more entry, by a participant or the house."""

    def registered(event: RegistryEvent, time_ns: int, by: str = "") -> bytes:
        entries = [data for data in stage.registry_data() if decode(data).kind is not Kind.CONDUCT]
        body, signature = encode_registry_event(event), b""
        if by:
            body, signature = sign_body(staging.key_of(by), body)
        entries.append(encode(Entry(kind_of(event), time_ns, body, signature)))
        tree = Tree()
        for data in entries:
            tree.append(leaf_hash(data))
        signer = CheckpointSigner(origin_of(stage.key.identity.text, REGISTRY), stage.key)
        return encode_export(entries, signer.sign(tree.size, tree.root()))

    return registered


def taken_over(book: Any, index: int) -> Any:
    """With a takeover in front of what stood at ``index``; what names a bid by its index names it still."""
    taken = book.inserted(index, Entry(Kind.TAKEOVER, book.entry(index - 1).time_ns, encode_event(Takeover("two", 2))))
    if "closed" not in taken.kinds():
        return taken
    at = taken.index_of("closed")
    closed = decode_event(Kind.CLOSED, taken.entry(at).body)
    return taken.reworded(at, bid_index=closed.bid_index + (closed.bid_index >= index))


def last_signed(book: Any, key: bytes) -> int:
    entries = [decode(data) for data in book.entries]
    return max(at for at, each in enumerate(entries) if each.signature and key in each.body)


def verdict(compare: Any, stage: Any, book: Any, registry: bytes) -> tuple[Any, ...] | None:
    try:
        compare(book.file(), registry, stage.key.identity)
    except VerificationError as error:
        return error.rule, error.index
    return None


@pytest.mark.parametrize("kind", ["revoked", "rotated"])
def test_a_key_may_end_at_the_registry_a_moment_before_another_instance_hears_of_it(
    stage: Any, staging: Any, operated: Any, registered: Any, compare_twice: Any, *, kind: str
) -> None:
    house, ann = stage.key.identity.signing, staging.key_of("ann").identity.signing
    event = Revoke(house, ann, ann) if kind == "revoked" else rotation(ann, staging.key_of("new"), house)
    index = last_signed(operated, ann)
    time_ns = operated.entry(index).time_ns
    before, behind = taken_over(operated, operated.index_of("opened") + 1), taken_over(operated, index + 1)
    for book, at, earlier_ns, refused in (
        (before, index + 1, WITHIN, False),
        (before, index + 1, 5 * SECOND_NS, False),
        (before, index + 1, 5 * SECOND_NS + 1, True),
        (before, index + 1, BEYOND, True),
        (operated, index, 0, False),
        (operated, index, 3 * MS, True),
        (behind, index, 3 * MS, True),
    ):
        found = verdict(compare_twice, stage, book, registered(event, time_ns - earlier_ns, by="ann"))
        assert found == ((kind, at) if refused else None), earlier_ns


def test_an_operator_may_be_one_no_more_or_not_yet_for_as_long(
    stage: Any, staging: Any, operated: Any, registered: Any, compare_twice: Any
) -> None:
    otto, index = staging.key_of("otto").identity.signing, operated.index_of("resumed")
    time_ns, taken = operated.entry(index).time_ns, RoleChanged(otto, "otto", "observer")
    before, behind = taken_over(operated, operated.index_of("opened") + 1), taken_over(operated, index + 1)
    for book, at, earlier_ns, refused in (
        (before, index + 1, WITHIN, False),
        (before, index + 1, BEYOND, True),
        (operated, index, 3 * MS, True),
        (behind, index, 3 * MS, True),
    ):
        found = verdict(compare_twice, stage, book, registered(taken, time_ns - earlier_ns))
        assert found == (("operator", at) if refused else None), earlier_ns
    new = staging.key_of("new")
    command = replace(decode_command(operated.entry(index).body), actor=new.identity.signing)
    given = Admitted(new.identity.signing, new.identity.transport, "new", "operator")
    for book, at, later_ns, refused in (
        (before, index + 1, WITHIN, False),
        (before, index + 1, BEYOND, True),
        (operated, index, 0, False),
        (operated, index, 3 * MS, True),
    ):
        found = verdict(compare_twice, stage, book.resigned(at, new, command), registered(given, time_ns + later_ns))
        assert found == (("operator", at) if refused else None), later_ns


def test_a_reputation_may_be_any_that_the_registry_came_to_within_that_time(
    stage: Any, staging: Any, book_of: Any, registered: Any, compare_twice: Any
) -> None:
    first, ben = stage.opened(), staging.key_of("ben")
    auction = stage.announce(min_reputation_ppm=1)
    stage.after(10 * SECOND_NS)
    stage.handle(stage.join(2, auction, reputation_ppm=STRANGER_PPM))
    plain = book_of(stage, auction)
    index = plain.index_of("joined")
    join, time_ns = decode_join(plain.entry(index).body), plain.entry(index).time_ns
    paid = Conduct(first, (Deeds(ben.identity.signing, stood=1, won=1, paid=1, defaulted=0, left=0, invalid=0),))
    before, behind = taken_over(plain, index), taken_over(plain, index + 1)
    for book, at, earlier_ns, stated_ppm, refused in (
        (before, index + 1, WITHIN, STRANGER_PPM, False),
        (before, index + 1, WITHIN, PAID_PPM, False),
        (before, index + 1, WITHIN, STRANGER_PPM + 1, True),
        (before, index + 1, BEYOND, STRANGER_PPM, True),
        (before, index + 1, BEYOND, PAID_PPM, False),
        (before, index + 1, -WITHIN, PAID_PPM, False),
        (before, index + 1, -BEYOND, PAID_PPM, True),
        (plain, index, 0, STRANGER_PPM, False),
        (plain, index, 0, PAID_PPM, False),
        (plain, index, 3 * MS, STRANGER_PPM, True),
        (plain, index, -3 * MS, PAID_PPM, True),
        (behind, index, 3 * MS, STRANGER_PPM, True),
    ):
        said = book.resigned(at, ben, replace(join, reputation_ppm=stated_ppm))
        found = verdict(compare_twice, stage, said, registered(paid, time_ns - earlier_ns))
        assert found == (("reputation", at) if refused else None), (earlier_ns, stated_ppm)


def test_conduct_may_be_registered_as_much_later_than_anything_else(
    stage: Any, staging: Any, operated: Any, registered: Any, compare_twice: Any
) -> None:
    last, new = len(operated.entries) - 1, staging.key_of("new").identity
    other, time_ns = Admitted(new.signing, new.transport, "new", "bidder"), operated.entry(last).time_ns
    before = taken_over(operated, last)
    for book, later_ns, refused in (
        (before, WITHIN, False),
        (before, BEYOND, True),
        (operated, 0, False),
        (operated, 3 * MS, True),
    ):
        found = verdict(compare_twice, stage, book, registered(other, time_ns + later_ns))
        assert found == (("conduct", None) if refused else None), later_ns
