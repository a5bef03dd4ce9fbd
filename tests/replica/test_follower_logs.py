"""What a follower follows: caught up with, mended after every loss, and found in a catalogue of any length."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.errors import RemoteProtocolError
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.follower import (
    HEARTBEAT_NS,
    RELIST_NS,
    RETRY_NS,
    SILENCE_NS,
    Advanced,
    Listed,
)
from auctionctl.tlog.note import is_signed_alone
from auctionctl.wire.frames import Message, message_type, sign_body
from auctionctl.wire.messages import (
    Catalogue,
    List,
    Listing,
    Read,
    Refused,
    Subscribe,
    encode,
)

FETCH_ENTRIES = 4
SESSION = 100


# Following


def test_what_is_followed_is_caught_up_with_and_then_fed(line: Any) -> None:
    auction = line.stage.opened()
    line.connect()
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    assert line.agrees(auction)
    line.stage.handle(line.stage.bid(1, auction, 1_000))
    line.pump()
    last = line.told(Advanced)[-1]
    assert (last.auction, last.is_current, [each.entry_index for each in last.applied]) == (auction, True, [4])
    assert line.agrees(auction)
    assert line.said(Read) == [Read(auction, 0)]


def test_a_long_log_is_read_slice_by_slice(line: Any) -> None:
    auction = line.stage.opened()
    for number in range(20):
        line.stage.handle(line.stage.bid(1 + number % 2, auction, 1_000 + 100 * number))
    line.connect()
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    assert line.said(Read) == [Read(auction, start) for start in range(0, 24, FETCH_ENTRIES)]
    assert [notice.is_current for notice in line.told(Advanced)] == [False] * 5 + [True]
    assert line.agrees(auction)


def test_following_the_same_again_asks_for_nothing(line: Any) -> None:
    auction = line.stage.opened()
    line.connect()
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    count = len(line.sent)
    line.follower.follow({auction}, line.stage.now_ns)
    line.pump()
    assert len(line.sent) == count


def test_many_auctions_are_subscribed_to_in_messages_that_the_house_takes(line: Any) -> None:
    auctions = {number.to_bytes(32, "big") for number in range(300)}
    line.connect()
    line.follower.follow(auctions, line.stage.now_ns)
    line.pump()
    assert [len(message.auctions) for message in line.said(Subscribe)] == [256, 44]
    assert {auction for message in line.said(Subscribe) for auction in message.auctions} == auctions
    assert {refusal.code for refusal in line.told(Refused)} == {"no_such_auction"}


def test_after_a_reconnection_every_log_is_read_on_from_where_it_ended(line: Any) -> None:
    first, second = line.stage.opened(), line.stage.opened()
    line.follower.follow({first}, line.stage.now_ns)
    line.connect()
    line.follower.follow({second}, line.stage.now_ns)
    line.pump()
    line.follower.disconnected()
    line.stage.house.session_ended(line.session, line.stage.now_ns)
    line.stage.handle(line.stage.bid(1, first, 1_000), line.stage.bid(2, second, 1_000))
    line.sent.clear()
    line.connect()
    assert line.said(Subscribe) == [Subscribe(tuple(sorted((first, second))))]
    assert {(read.auction, read.start) for read in line.said(Read)} == {(first, 4), (second, 4)}
    assert line.agrees(first)
    assert line.agrees(second)


def test_after_a_restart_of_the_house_the_same_log_goes_on(line: Any) -> None:
    auction = line.stage.opened()
    line.follower.follow({auction}, line.stage.now_ns)
    line.connect()
    line.follower.disconnected()
    line.stage.restart(3 * SECOND_NS)
    line.connect()
    assert line.agrees(auction)
    assert line.follower.replicas[auction].replay.state.size == 5


def test_lost_pieces_of_the_feed_are_read_again(line: Any) -> None:
    auction = line.stage.opened()
    line.follower.follow({auction}, line.stage.now_ns)
    line.connect()
    line.lose("entries")
    for number in range(3):
        line.stage.handle(line.stage.bid(1 + number % 2, auction, 1_000 + 100 * number))
        line.pump()
    line.lose()
    assert line.follower.replicas[auction].size == 4
    line.sent.clear()
    line.stage.handle(line.stage.bid(2, auction, 5_000))
    line.pump()
    assert line.sent == [Read(auction, 4)]
    assert line.agrees(auction)


def test_an_unanswered_read_is_repeated_until_it_is_answered(line: Any) -> None:
    auction = line.stage.opened()
    line.follower.follow({auction}, line.stage.now_ns)
    line.lose("entries")
    line.connect()
    start_ns = line.stage.now_ns
    assert line.follower.get_timer() == start_ns + RETRY_NS
    line.run_for(RETRY_NS - 1)
    assert len(line.said(Read)) == 1
    line.run_for(1)
    assert len(line.said(Read)) == 2
    line.lose()
    line.run_for(RETRY_NS)
    assert len(line.said(Read)) == 3
    assert line.agrees(auction)
    line.run_for(4 * RETRY_NS)
    assert len(line.said(Read)) == 3


@pytest.mark.parametrize("every", [2, 3, 5])
def test_whatever_is_lost_the_replica_comes_to_the_houses_log(line: Any, every: int) -> None:
    auction = line.stage.opened(duration_ns=60 * SECOND_NS)
    line.follower.follow_all()
    count = 0

    def loses(message: Message) -> bool:
        nonlocal count
        count += 1
        return count % every == 0

    line.loses = loses
    line.connect()
    for number in range(12):
        line.run_for(SECOND_NS)
        line.stage.handle(line.stage.bid(1 + number % 2, auction, 1_000 + 100 * number))
    line.run_for(50 * SECOND_NS)
    line.lose()
    line.run_for(SILENCE_NS + 2 * HEARTBEAT_NS)
    assert line.agrees(auction)
    assert line.follower.replicas[auction].replay.state.outcome is not None


@pytest.mark.parametrize("lost", ["subscribe", "entries"])
def test_a_log_that_has_fallen_silent_is_asked_after(line: Any, lost: str) -> None:
    auction = line.stage.opened(duration_ns=10 * SECOND_NS)
    line.follower.follow({auction}, line.stage.now_ns)
    line.lose(*{"subscribe"} & {lost})
    line.connect()
    line.lose(*{"entries"} & {lost})
    line.run_for(11 * SECOND_NS)
    line.lose()
    assert not line.follower.replicas[auction].has_ended, "the close went unheard"
    line.run_for(SILENCE_NS + HEARTBEAT_NS - 11 * SECOND_NS)
    assert line.follower.replicas[auction].has_ended
    assert line.agrees(auction)
    count = len(line.said(Read)), len(line.said(Subscribe))
    line.run_for(3 * SILENCE_NS)
    assert (len(line.said(Read)), len(line.said(Subscribe))) == count, "an ended log is left alone"


def test_heads_are_asked_for_of_what_is_followed_and_only_in_a_session(line: Any) -> None:
    auction, other = line.stage.opened(), line.stage.opened()
    line.follower.follow({auction}, line.stage.now_ns)
    line.follower.ask_for_heads([auction], line.stage.now_ns)
    assert line.follower.take_outgoing() == []
    line.connect()
    line.stage.handle(line.stage.bid(1, auction, 1_000), line.stage.bid(1, other, 1_000))
    line.pump()
    replica = line.follower.replicas[auction]
    assert not is_signed_alone(replica.head_note), "the feed came under a note signed in company"
    line.sent.clear()
    line.follower.ask_for_heads([auction, other], line.stage.now_ns)
    line.pump()
    assert line.sent == [Read(auction, 5)]
    assert is_signed_alone(replica.head_note)
    assert line.follower.take_notices() == []


# The catalogue


def test_a_catalogue_of_several_pages_is_told_when_it_is_whole(staging: Any, line_to: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=50))
    auctions = tuple(stage.announce() for _ in range(40))
    line = line_to(stage).connect()
    line.follower.list_auctions(stage.now_ns)
    line.pump()
    assert line.said(List) == [List(0), List(16), List(32)]
    assert line.told(Listed) == [Listed(auctions)]
    assert tuple(line.follower.catalogue) == auctions
    assert [terms.listing for terms in line.follower.catalogue.values()][:2] == ["lot-1", "lot-2"]
    assert line.follower.replicas == {}
    line.run_for(3 * RELIST_NS)
    assert len(line.said(List)) == 3


def test_a_follower_of_everything_finds_new_auctions(staging: Any, line_to: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=50))
    auctions = [stage.announce() for _ in range(20)]
    line = line_to(stage)
    line.follower.follow_all()
    line.connect()
    assert set(line.follower.replicas) == set(auctions)
    auctions.append(stage.announce())
    line.run_for(RELIST_NS)
    assert set(line.follower.replicas) == set(auctions)
    assert all(line.agrees(auction) for auction in auctions)


def test_an_empty_catalogue_is_told_too(line: Any) -> None:
    line.connect()
    line.follower.list_auctions(line.stage.now_ns)
    line.pump()
    assert line.told(Listed) == [Listed(())]


def test_an_unanswered_question_for_the_catalogue_is_repeated(line: Any) -> None:
    auction = line.stage.announce()
    line.connect()
    line.lose("list")
    line.follower.list_auctions(line.stage.now_ns)
    line.pump()
    line.lose()
    line.run_for(RELIST_NS)
    assert line.told(Listed) == [Listed((auction,))]


def test_a_late_page_does_not_pass_for_the_whole_catalogue(staging: Any, line_to: Any) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=50))
    auctions = tuple(stage.announce() for _ in range(20))
    line = line_to(stage).connect()
    late: list[Message] = []

    def loses(message: Message) -> bool:
        if message_type(message.body) == "catalogue" and line.said(List)[-1].start == 16:
            late.append(message)
            return True
        return False

    line.loses = loses
    line.follower.list_auctions(stage.now_ns)
    line.pump()
    assert len(late) == 1
    line.lose("catalogue")
    line.run_for(RELIST_NS)
    assert line.said(List)[-1] == List(0)
    line.lose()
    line.hear(late[0])
    assert line.told(Listed) == []
    line.run_for(RELIST_NS)
    assert line.told(Listed) == [Listed(auctions)]


def test_a_catalogue_whose_terms_do_not_hold_is_refused(line: Any, staging: Any) -> None:
    line.connect()
    good = line.stage.terms()
    other_house = sign_body(line.key, b"\x91\xa5terms")
    stranger = staging.Stage()
    stranger.key = SecretKey(b"x" * 32)
    cases = [
        (good.body[:-1], good.signature, "terms that are none"),
        (*other_house, "terms that are none"),
        (good.body, bytes(64), "did not sign for this house"),
        (*stranger.terms(), "did not sign for this house"),
    ]
    for terms, signature, reason in cases:
        line.follower.list_auctions(line.stage.now_ns)
        line.follower.take_outgoing()
        with pytest.raises(RemoteProtocolError, match=reason):
            line.hear(Message(encode(Catalogue(0, 1, (Listing(terms, signature, 1, b""),)))))
    assert auction_id(good.body) not in line.follower.catalogue


def test_a_house_that_counts_more_auctions_than_it_lists_is_not_asked_for_ever(line: Any) -> None:
    auction = line.stage.announce()
    line.connect()
    line.follower.list_auctions(line.stage.now_ns)
    line.follower.take_outgoing()
    (terms,) = line.stage.house.logs
    listing = Listing(terms.terms_body, terms.terms_signature, 1, line.stage.announcement(auction))
    line.hear(Message(encode(Catalogue(0, 7, (listing,)))))
    line.hear(Message(encode(Catalogue(1, 7, ()))))
    assert line.told(Listed) == [Listed((auction,))]
