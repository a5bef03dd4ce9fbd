"""The registry followed: a copy that is verified, and a house that shows two registries, or half of one, is caught."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.terms import SECOND_NS, auction_id, decode_terms
from auctionctl.errors import VerificationError
from auctionctl.house.limits import Limits
from auctionctl.replica.announcement import RULE, prove_announcement
from auctionctl.replica.follower import Advanced, Listed, RegistryAdvanced
from auctionctl.replica.pending_reads import RETRY_NS
from auctionctl.replica.registry import (
    REGISTRY,
    REGISTRY_ID,
    Announced,
    decode_registry_event,
    encode_registry_event,
)
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import decode
from auctionctl.tlog.entry import encode as encode_entry
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import MAX_REPLY_BYTES, Message, message_type
from auctionctl.wire.messages import Catalogue, Entries, List, Listing, Read, encode


def list_all(line: Any) -> None:
    line.follower.list_auctions(line.stage.now_ns)
    line.pump()


def follow_registry(line: Any) -> Any:
    line.follower.follow_registry(line.stage.now_ns)
    return line.pump()


def agrees(line: Any) -> bool:
    """Whether the copy is the house's registry, verified."""
    copy, log = line.follower.registry, line.stage.house.registry
    same = copy.replay.tree.root() == log.tree.root() and copy.replay.state.members == log.state.members
    return same and copy.is_verified and not copy.is_behind


def tree_of(entries: list[bytes]) -> Tree:
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    return tree


def signed(stage: Any, entries: list[bytes], start: int = 0) -> Message:
    """``entries`` as a registry that the house signs for."""
    tree = tree_of(entries)
    note = CheckpointSigner(origin_of(stage.key.identity.text, REGISTRY), stage.key).sign(tree.size, tree.root())
    return Message(encode(Entries(REGISTRY_ID, start, tuple(entries[start:]), note)))


def listed(stage: Any, announcement: bytes) -> Message:
    """A catalogue of the one auction there is, under this announcement."""
    (log,) = stage.house.logs
    return Message(encode(Catalogue(0, 1, (Listing(log.terms_body, log.terms_signature, 1, announcement),))))


def told_otherwise(stage: Any) -> list[bytes]:
    """Another registry of the house with as many entries, in which all but the first are a nanosecond later."""
    entries = [decode(data) for data in stage.registry_data()]
    return [encode_entry(replace(entry, time_ns=entry.time_ns + bool(index))) for index, entry in enumerate(entries)]


# Following


def test_the_registry_is_caught_up_with_and_then_fed(line: Any, staging: Any) -> None:
    line.stage.announce()
    follow_registry(line.connect())
    assert agrees(line)
    line.stage.announce()
    line.stage.do(line.stage.house.set_allowed(staging.allowed_with(olga="observer"), line.stage.now_ns))
    line.pump()
    last = line.told(RegistryAdvanced)[-1]
    assert last.is_current
    assert {type(each.fact).__name__ for each in last.applied} == {"RoleChanged"}
    assert agrees(line)
    reads = [read.start for read in line.said(Read)]
    assert reads == [0, 4, 8], "slice by slice, and nothing beside the feed after that"


def test_a_registry_of_nothing_is_current_and_grows(staging: Any, line_to: Any) -> None:
    house = staging.key_of("house")
    own = staging.Entry(house.identity, "house", "operator")
    stage = staging.Stage(allowed=staging.AllowList([(1, own)]))
    line = follow_registry(line_to(stage, "house", "operator").connect())
    assert line.told(RegistryAdvanced) == [RegistryAdvanced((), True)]
    ann = staging.Entry(staging.key_of("ann").identity, "ann")
    stage.do(stage.house.set_allowed(staging.AllowList([(1, own), (2, ann)]), stage.now_ns))
    line.pump()
    assert [member.name for member in line.follower.registry.replay.state.members.values()] == ["ann"]
    assert agrees(line)


def test_it_is_followed_over_a_reconnection_and_a_restart(line: Any, staging: Any) -> None:
    line.follower.follow_registry(line.stage.now_ns)
    line.connect()
    line.follower.disconnected()
    line.stage.announce()
    line.stage.restart(SECOND_NS, staging.allowed_with(olga="observer", sue="seller"))
    line.connect()
    assert agrees(line)


def test_an_auction_and_the_registry_are_followed_beside_each_other(line: Any) -> None:
    auction = line.stage.opened()
    line.follower.follow_all()
    follow_registry(line.connect())
    assert agrees(line)
    assert line.agrees(auction)
    assert REGISTRY_ID not in line.follower.replicas


def test_a_lost_piece_of_the_registry_is_read_again(line: Any) -> None:
    follow_registry(line.connect())
    line.lose("entries")
    line.stage.announce()
    line.pump()
    line.lose()
    line.stage.announce()
    line.pump()
    assert agrees(line)


@pytest.mark.parametrize("first", ["catalogue", "registry"])
def test_every_announcement_that_was_seen_is_in_the_registry_that_is_shown(line: Any, first: str) -> None:
    auctions = tuple(line.stage.announce() for _ in range(3))
    line.connect()
    for what in (list_all, follow_registry) if first == "catalogue" else (follow_registry, list_all):
        what(line)
    assert line.told(Listed) == [Listed(auctions)]
    assert line.follower.announcements == {auction: line.stage.announcement(auction) for auction in auctions}
    assert line.told(RegistryAdvanced)[-1].is_current
    announced = [
        each.fact.auction
        for notice in line.told(RegistryAdvanced)
        for each in notice.applied
        if isinstance(each.fact, Announced)
    ]
    assert tuple(announced) == auctions


def test_a_catalogue_of_the_largest_terms_comes_whole(staging: Any, line_to: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=40))
    auctions = tuple(stage.announce(title="\U0001f3fa" * 200, description="\U0001f3fa" * 2_800) for _ in range(40))
    line = line_to(stage).connect()
    lengths: list[int] = []

    def loses(message: Message) -> bool:
        lengths.append(len(message.body))
        return False

    line.loses = loses
    list_all(line)
    assert line.told(Listed) == [Listed(auctions)]
    assert max(lengths) <= MAX_REPLY_BYTES
    starts = [message.start for message in line.said(List)]
    assert starts == sorted(set(starts))
    assert len(starts) > 40 // 16


# What is not believed


@pytest.mark.parametrize("first", ["catalogue", "registry"])
def test_a_house_that_shows_one_registry_and_proves_from_another_is_caught(line: Any, first: str) -> None:
    auction = line.stage.announce()
    other = told_otherwise(line.stage)
    line.lose("entries", "catalogue")
    list_all(follow_registry(line.connect()))
    line.lose()
    # The announcement is dated as it was in both: it is the rest that they differ in.
    shown = signed(line.stage, other)
    proved = listed(line.stage, line.stage.announcement(auction))
    before, after = (proved, shown) if first == "catalogue" else (shown, proved)
    line.hear(before)
    with pytest.raises(VerificationError, match="another one than that of an announcement") as raised:
        line.hear(after)
    assert raised.value.rule == RULE


def test_a_registry_that_ends_before_an_announcement_is_behind_and_asked_for_again_but_not_at_once(line: Any) -> None:
    early = line.stage.registry_data()
    line.stage.announce()
    line.lose("entries")
    list_all(follow_registry(line.connect()))
    line.lose()
    line.hear(signed(line.stage, early))
    assert not line.told(RegistryAdvanced)[-1].is_current
    (again,) = [message for message in line.follower.take_outgoing() if message_type(message.body) == "read"]
    assert again == Message(encode(Read(REGISTRY_ID, len(early))))
    # It answers with nothing, again and again: nobody is made to ask as fast as it answers.
    for _ in range(5):
        line.hear(signed(line.stage, early, len(early)))
        assert line.follower.take_outgoing() == []
    line.stage.now_ns += RETRY_NS
    line.follower.handle_timer(line.stage.now_ns)
    line.pump()
    assert line.told(RegistryAdvanced)[-1].is_current
    assert agrees(line)


def test_an_entry_of_the_registry_that_breaks_its_rules_is_named(line: Any) -> None:
    line.lose("entries")
    follow_registry(line.connect())
    line.lose()
    data = line.stage.registry_data()
    with pytest.raises(VerificationError) as raised:
        line.hear(signed(line.stage, [*data, data[0]]))
    assert (raised.value.rule, raised.value.index) == ("admitted", len(data))


def forged_announcement(stage: Any, **changes: Any) -> bytes:
    """What the house could prove if its registry ended in another announcement."""
    *before, last = stage.registry_data()
    entry = decode(last)
    event = decode_registry_event(entry.kind, entry.body)
    entry_changes = {name: changes.pop(name) for name in ("time_ns",) if name in changes}
    changed = encode_entry(replace(entry, body=encode_registry_event(replace(event, **changes)), **entry_changes))
    tree = tree_of([*before, changed])
    return prove_announcement(tree, len(before), changed, stage.key)


@pytest.mark.parametrize("changes", [{"auction": b"x" * 32}, {"seller": b"s" * 32}, {"listing": "other"}])
def test_a_catalogue_whose_announcements_do_not_hold_is_refused(line: Any, changes: dict[str, Any]) -> None:
    auction = line.stage.announce()
    line.connect()
    forged = forged_announcement(line.stage, **changes)
    for announcement, words in ((forged, "announces another auction"), (b"", "does not announce this auction")):
        line.follower.list_auctions(line.stage.now_ns)
        line.follower.take_outgoing()
        with pytest.raises(VerificationError, match=words) as raised:
            line.hear(listed(line.stage, announcement))
        assert raised.value.rule == RULE
    assert auction not in line.follower.announcements


@pytest.mark.parametrize("first", ["catalogue", "log"])
def test_a_log_that_begins_at_another_time_than_announced_is_caught(line: Any, first: str) -> None:
    auction = line.stage.announce()
    time_ns = line.stage.log(auction).times_ns[0]
    proved = listed(line.stage, forged_announcement(line.stage, time_ns=time_ns + 1))
    log = line.stage.log(auction)
    shown = Message(encode(Entries(auction, 0, tuple(line.stage.data(auction)), log.sign_head())))
    line.lose("entries", "catalogue")
    line.follower.follow({auction}, line.stage.now_ns)
    list_all(line.connect())
    line.lose()
    before, after = (proved, shown) if first == "catalogue" else (shown, proved)
    line.hear(before)
    with pytest.raises(VerificationError, match="begins at another time") as raised:
        line.hear(after)
    assert raised.value.rule == RULE


def test_a_log_that_begins_when_it_was_announced_is_taken(line: Any) -> None:
    auction = line.stage.announce()
    list_all(line.connect())
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    list_all(line)
    assert line.agrees(auction)
    (advanced,) = line.told(Advanced)
    (applied,) = advanced.applied
    assert auction_id(applied.entry.body) == auction
    assert decode_terms(applied.entry.body) == line.follower.catalogue[auction]
