"""What several instances of one house promise: one writer a log, everything everywhere, nobody left without a way."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.command_id import command_id
from auctionctl.auction.events import Gap, GapCause, Takeover, decode_event
from auctionctl.auction.rules import PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import TermsError
from auctionctl.house.condition import QUARANTINED
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID, Revoke, encode_registry_event
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Catalogue, Entries, List, Moved, Read, Remind, Subscribe


@pytest.fixture
def cluster(sharing: Any) -> Any:
    """Instances a, b and c; a holds everything. Ann, ben, a seller and an observer are with each of them."""
    cluster = sharing.Cluster("a", "b", "c")
    for instance in cluster.instances.values():
        people = ((1, "ann", "bidder"), (2, "ben", "bidder"), (3, "sue", "seller"), (4, "olga", "observer"))
        for session, name, role in people:
            instance.enter(session, name, role)
        instance.effects.clear()
    return cluster


@pytest.fixture
def opened(cluster: Any) -> bytes:
    """An auction at a, in which both have bid."""
    a = cluster["a"]
    auction: bytes = a.sell()
    a.handle(a.join(1, auction), a.join(2, auction))
    a.handle(a.bid(1, auction, 1_000))
    cluster.sync()
    return auction


def test_every_instance_has_every_log_as_its_holder_has_it(cluster: Any, opened: bytes) -> None:
    for name in ("a", "b", "c"):
        assert cluster.audited(opened, name).auction.bid_count == 1
        assert cluster[name].house.live_count == cluster[name].house.unfinished_of_all == 1
        assert cluster[name].house.holds(opened) == cluster[name].house.holds(REGISTRY_ID) == (name == "a")
    assert cluster["b"].house.foreign_ids == cluster["a"].house.held_ids == [opened]
    assert cluster["b"].house.held_ids == cluster["a"].house.foreign_ids == []


@pytest.mark.parametrize("is_registry_first", [True, False])
def test_an_auction_is_there_whichever_of_its_logs_comes_first(cluster: Any, is_registry_first: bool) -> None:
    a, b = cluster["a"], cluster["b"]
    begun = len(cluster.tail)
    auction = a.sell()
    first, second = cluster.tail[begun : begun + 2]
    assert first.log == REGISTRY
    cluster.tail[begun : begun + 2] = (first, second) if is_registry_first else (second, first)
    b.sync()
    assert b.house.foreign_ids == [auction]


def test_a_bid_that_comes_to_the_wrong_instance_changes_nothing_and_is_told_where_to_go(
    cluster: Any, opened: bytes, sharing: Any
) -> None:
    b = cluster["b"]
    before = len(cluster.tail)
    bid = b.bid(2, opened, 1_100)
    (moved,) = sharing.moved_in(b.handle(bid), 2)
    assert moved == Moved(opened, "a:1", command_id(bid.body), 0)
    assert len(cluster.tail) == before
    assert sharing.receipts_in(cluster["a"].handle(bid), 2)


def test_whoever_asks_for_what_nobody_has_just_now_is_told_to_ask_again(
    cluster: Any, opened: bytes, sharing: Any
) -> None:
    b = cluster["b"]
    b.house.set_holders({})
    (moved,) = sharing.moved_in(b.handle(b.bid(2, opened, 1_100)), 2)
    assert moved.endpoint == ""
    assert moved.retry_ns > 0


def test_an_auction_that_is_not_here_yet_is_asked_for_where_the_registry_is(cluster: Any, sharing: Any) -> None:
    auction = cluster["a"].sell()
    b = cluster["b"]
    for asked in (b.join(1, auction), b.ask(1, Subscribe((auction,))), b.ask(1, Read(auction, 0))):
        (moved,) = sharing.moved_in(b.handle(asked), 1)
        assert (moved.log, moved.endpoint) == (auction, "a:1")
    (refused,) = replies(sharing, cluster["a"].handle(cluster["a"].join(1, b"?" * 32)), 1)
    assert refused.code == "no_such_auction"


def replies(sharing: Any, effects: Any, session: int) -> Any:
    return sharing.staging.replies(effects, session)


def test_terms_and_changes_of_keys_are_taken_where_the_registry_is(cluster: Any, opened: bytes, sharing: Any) -> None:
    b = cluster["b"]
    terms = b.offer(3, b.terms("sue"))
    (moved,) = sharing.moved_in(b.handle(terms), 3)
    assert moved == Moved(REGISTRY_ID, "a:1", command_id(terms.body), 0)
    me = sharing.staging.key_of("ann")
    message = sign_body(me, encode_registry_event(Revoke(b.house.identity.signing, *[me.identity.signing] * 2)))
    revocation = sharing.staging.Request(1, me.identity.signing, *message)
    (moved,) = sharing.moved_in(b.handle(revocation), 1)
    assert (moved.log, moved.command) == (REGISTRY_ID, command_id(message.body))
    again = b.house.find_listing(me.identity.signing, "nothing")
    assert again is None
    with pytest.raises(TermsError):
        b.house.announce(*b.terms("sue"), b.now_ns)
    assert not b.house.has_room
    assert cluster["a"].house.has_room


def test_the_same_terms_again_are_answered_where_their_auction_is(cluster: Any, sharing: Any) -> None:
    a, b = cluster["a"], cluster["b"]
    terms = a.offer(3, a.terms("sue"))
    assert sharing.receipts_in(a.handle(terms), 3)
    auction = command_id(terms.body)
    cluster.sync()
    cluster.hand_over(auction, "a", "b")
    (moved,) = sharing.moved_in(a.handle(terms), 3)
    assert moved == Moved(auction, "b:1", auction, 0)
    assert sharing.receipts_in(b.handle(terms), 3) == [(auction, auction, 0)]


def test_what_is_durable_is_listed_and_read_anywhere(cluster: Any, opened: bytes, sharing: Any) -> None:
    for name in ("a", "b"):
        instance = cluster[name]
        effects = instance.handle(instance.ask(4, List(0)), instance.ask(4, Read(opened, 0)))
        (page,) = [reply for reply in replies(sharing, effects, 4) if isinstance(reply, Catalogue)]
        assert [listing.size for listing in page.listings] == [5]
        (fetch,) = [effect for effect in effects if type(effect).__name__ == "Fetch"]
        assert (fetch.log, fetch.size) == (f"auction/{opened.hex()}", 5)


def test_a_log_is_followed_where_it_is_held_and_the_registry_anywhere(
    cluster: Any, opened: bytes, sharing: Any
) -> None:
    a, b = cluster["a"], cluster["b"]
    effects = b.handle(b.ask(4, Subscribe((opened, REGISTRY_ID))))
    (moved,) = sharing.moved_in(effects, 4)
    assert moved == Moved(opened, "a:1", b"", 0)
    b.effects.clear()
    a.sell()
    b.sync()
    fed = [reply for reply in sharing.staging.published(b.effects) if isinstance(reply, Entries)]
    assert [each.auction for each in fed] == [REGISTRY_ID]


def test_a_log_is_handed_over_without_a_gap_and_its_followers_are_told(
    cluster: Any, opened: bytes, sharing: Any
) -> None:
    a, b = cluster["a"], cluster["b"]
    a.handle(a.ask(4, Subscribe((opened,))))
    a.effects.clear()
    end_ns = a.house.log(opened).auction.end_ns
    cluster.hand_over(opened, "a", "b")
    assert sharing.moved_in(a.effects, 4) == [Moved(opened, "b:1", b"", 0)]
    assert cluster.kinds(opened)[-1] == "takeover"
    assert (a.house.held_ids, b.house.held_ids) == ([], [opened])
    assert b.house.log(opened).auction.end_ns == end_ns
    bid = b.bid(2, opened, 1_200)
    assert sharing.receipts_in(b.handle(bid), 2) == [(opened, command_id(bid.body), 6)]
    (moved,) = sharing.moved_in(a.handle(a.bid(1, opened, 1_400)), 1)
    assert moved.endpoint == "b:1"
    cluster.sync()
    assert cluster.audited(opened, "a").auction.takeover == Takeover("b", 2)


def test_a_log_of_a_dead_instance_goes_on_and_its_deadlines_move_by_the_time_lost(cluster: Any, opened: bytes) -> None:
    end_ns, last_ns = cluster["a"].house.log(opened).auction.end_ns, cluster.now_ns
    cluster.after(4 * SECOND_NS, without=["a"])
    cluster.take_from_dead("a", "b", last_ns)
    takeover, gap = (decode_event(each.kind, each.body) for each in cluster.entries(opened)[-2:])
    assert takeover == Takeover("b", 2)
    assert gap == Gap(last_ns, cluster.now_ns + SECOND_NS, GapCause.TAKEOVER)
    assert cluster["b"].house.log(opened).auction.end_ns == end_ns + 5 * SECOND_NS
    assert cluster["b"].house.holds(REGISTRY_ID)
    assert cluster["b"].sell() in cluster["b"].house.held_ids


@pytest.mark.parametrize("seconds", [0, 1])
def test_no_gap_is_said_of_what_a_house_may_stand_still_anyway(cluster: Any, opened: bytes, seconds: int) -> None:
    last_ns = cluster.now_ns
    cluster.now_ns += seconds * SECOND_NS
    cluster.take_from_dead("a", "b", last_ns)
    assert cluster.kinds(opened)[-1] == "takeover"


def test_bidders_that_do_not_follow_to_the_new_holder_count_as_gone_after_the_grace(
    cluster: Any, opened: bytes
) -> None:
    b = cluster["b"]
    b.house.session_ended(2, cluster.now_ns)
    cluster.after(SECOND_NS)
    cluster.hand_over(opened, "a", "b")
    cluster.after(9 * SECOND_NS)
    assert "left" not in cluster.kinds(opened)
    cluster.after(2 * SECOND_NS)
    assert cluster.kinds(opened)[-1] == "left"


def test_a_stale_instance_writes_nothing_and_answers_nothing_but_where_to_go(
    cluster: Any, opened: bytes, sharing: Any
) -> None:
    a = cluster["a"]
    other = a.sell(duration_ns=60 * SECOND_NS)
    a.handle(a.join(1, other), a.join(2, other))
    cluster.sync()
    cluster["b"].take(opened, cluster.claim(opened, "b"), cluster.now_ns)
    a.effects.clear()
    bids = [a.bid(2, opened, 1_200), a.bid(1, other, 1_000)]
    effects = a.handle(*bids)
    assert cluster.refused == 1
    assert not sharing.receipts_in(effects, 1)
    assert not sharing.receipts_in(effects, 2)
    assert [each.command for each in sharing.moved_in(effects, 2)] == [command_id(bids[0].body)]
    (again,) = sharing.moved_in(effects, 1)
    assert (again.log, again.endpoint) == (other, "")
    assert not a.house.holds(opened)
    a.sync()
    assert sharing.receipts_in(a.handle(bids[1]), 1)
    assert sharing.receipts_in(cluster["b"].handle(bids[0]), 2)
    cluster.sync()
    for name in ("a", "b", "c"):
        cluster.audited(opened, name)
        cluster.audited(other, name)


def test_who_has_lost_the_registry_announces_nothing_more(cluster: Any, opened: bytes, sharing: Any) -> None:
    a, b = cluster["a"], cluster["b"]
    b.take(REGISTRY_ID, cluster.claim(REGISTRY_ID, "b"), None)
    terms = a.offer(3, a.terms("sue"))
    effects = a.handle(terms)
    assert [each.log for each in sharing.moved_in(effects, 3)] == [REGISTRY_ID]
    assert not a.house.holds(REGISTRY_ID)
    assert sharing.receipts_in(b.handle(terms), 3)
    cluster.sync()
    assert a.house.foreign_ids == [command_id(terms.body)]


def test_what_the_store_had_no_room_for_is_taken_over_when_it_has(cluster: Any, opened: bytes) -> None:
    b = cluster["b"]
    b.is_full = True
    b.take(opened, cluster.claim(opened, "b"), cluster.now_ns - 5 * SECOND_NS)
    assert b.house.foreign_ids == [opened]
    assert cluster.kinds(opened)[-1] == "bid"
    b.is_full = False
    cluster.after(3 * SECOND_NS)
    assert cluster.kinds(opened)[-2:] == ["takeover", "gap"]
    assert cluster.kinds(opened).count("gap") == 1
    assert b.house.held_ids == [opened]


def test_the_conduct_in_an_auction_that_ended_elsewhere_is_said_by_who_has_the_registry(
    cluster: Any, opened: bytes
) -> None:
    cluster.hand_over(opened, "a", "b")
    cluster.after(25 * SECOND_NS)
    assert cluster.kinds(opened)[-1] == "closed"
    assert cluster.kinds(REGISTRY_ID)[-1] == "conduct"
    for name in ("a", "b", "c"):
        assert opened in cluster[name].house.registry.state.reputations.auctions
        assert cluster[name].house.foreign_ids == []
        assert cluster[name].house.live_count == 0


def test_conduct_that_nobody_has_said_yet_is_said_by_who_takes_the_registry(cluster: Any, opened: bytes) -> None:
    cluster.hand_over(opened, "a", "b")
    cluster.after(25 * SECOND_NS, without=["a"])
    assert cluster.kinds(REGISTRY_ID)[-1] != "conduct"
    cluster.take_from_dead("a", "c", cluster.now_ns - 4 * SECOND_NS)
    assert cluster.kinds(REGISTRY_ID)[-1] == "conduct"


def test_a_key_that_is_revoked_at_one_instance_is_shut_out_by_all(cluster: Any, sharing: Any) -> None:
    a, b = cluster["a"], cluster["b"]
    me = sharing.staging.key_of("ann")
    message = sign_body(me, encode_registry_event(Revoke(b.house.identity.signing, *[me.identity.signing] * 2)))
    a.handle(sharing.staging.Request(1, me.identity.signing, *message))
    assert 1 in b.house.presence.peers
    b.sync()
    assert 1 not in b.house.presence.peers


def test_a_log_that_breaks_the_rules_is_quarantined_and_the_others_go_on(
    cluster: Any, opened: bytes, sharing: Any
) -> None:
    b = cluster["b"]
    name = f"auction/{opened.hex()}"
    last = list(cluster.store.read(name))[-1]
    b.house.absorb(name, 5, [last], b.now_ns)
    assert [code for code, _ in b.house.warnings.listed()] == [QUARANTINED]
    assert b.house.foreign_ids == []
    (refused,) = replies(sharing, b.handle(b.bid(2, opened, 1_200)), 2)
    assert refused.code == "no_such_auction"
    other = cluster["a"].sell()
    b.sync()
    assert b.house.foreign_ids == [other]


def test_entries_that_are_missing_in_the_store_are_noticed(cluster: Any, opened: bytes) -> None:
    b = cluster["b"]
    b.house.absorb(f"auction/{opened.hex()}", 7, [b"?"], b.now_ns)
    assert "entries 5 to 6 are missing" in dict(b.house.warnings.listed())[QUARANTINED]


def test_what_is_here_already_is_passed_over(cluster: Any, opened: bytes) -> None:
    name = f"auction/{opened.hex()}"
    entries = list(cluster.store.read(name))
    for instance in cluster.instances.values():
        assert instance.house.absorb(name, 2, entries[2:], instance.now_ns) == []
        assert cluster.audited(opened, instance.name)
    assert cluster["a"].house.holds(opened)


def test_a_note_of_what_has_not_come_here_yet_halts_nothing(cluster: Any, opened: bytes) -> None:
    a, b = cluster["a"], cluster["b"]
    a.handle(a.bid(2, opened, 1_200))
    later = a.sell()
    ahead = (opened, a.house.log(opened)), (later, a.house.log(later)), (REGISTRY_ID, a.house.registry)
    b.handle(*(b.ask(4, Remind(log_id, log.sign_head())) for log_id, log in ahead))
    assert not b.house.warnings.listed()
    cluster.sync()
    cluster.hand_over(opened, "a", "b")
    assert b.house.held_ids == [opened]


def test_an_instance_that_starts_again_goes_on_with_what_it_holds_and_follows_the_rest(
    cluster: Any, opened: bytes
) -> None:
    other = cluster["a"].sell()
    cluster.sync()
    cluster.hand_over(opened, "a", "b")
    cluster.after(SECOND_NS // 2)
    b = cluster["b"]
    b.start()
    assert (b.house.held_ids, b.house.foreign_ids) == ([opened], [other])
    assert not b.house.holds(REGISTRY_ID)
    assert cluster.kinds(opened)[-1] == "gap"
    assert "gap" not in cluster.kinds(other)


def test_a_sale_is_settled_by_who_took_it_over(cluster: Any, sharing: Any) -> None:
    a, b = cluster["a"], cluster["b"]
    auction = a.sell(payment=PaymentRules(payment_ns=9 * SECOND_NS), duration_ns=2 * SECOND_NS)
    a.handle(a.join(1, auction), a.join(2, auction))
    a.handle(a.bid(1, auction, 1_000))
    cluster.after(3 * SECOND_NS)
    assert cluster.kinds(auction)[-1] == "closed"
    assert b.house.foreign_ids == [auction]
    cluster.hand_over(auction, "a", "b")
    cluster.after(12 * SECOND_NS, without=["a"])
    assert cluster.kinds(auction)[-2:] == ["defaulted", "reverted"]


def test_a_limit_of_auctions_is_of_the_whole_house(cluster: Any) -> None:
    for _ in range(10):
        auction = cluster["a"].sell()
        cluster.sync()
        cluster.hand_over(auction, "a", "b")
    assert not cluster["a"].house.has_room
    with pytest.raises(TermsError, match="its limit is 10"):
        cluster["a"].sell()


def test_the_catalogue_is_in_the_order_of_announcement_wherever_its_auctions_are(cluster: Any, sharing: Any) -> None:
    auctions = [cluster["a"].sell() for _ in range(4)]
    cluster.sync()
    cluster.hand_over(auctions[1], "a", "b")
    cluster.hand_over(auctions[2], "a", "c")
    for instance in cluster.instances.values():
        effects = instance.handle(instance.ask(4, List(0)))
        (page,) = [reply for reply in replies(sharing, effects, 4) if isinstance(reply, Catalogue)]
        assert [command_id(listing.terms) for listing in page.listings] == auctions


def test_a_time_without_a_gateway_is_entered_before_a_log_is_given_and_goes_on_for_those_that_stay(
    cluster: Any, opened: bytes
) -> None:
    a = cluster["a"]
    other = a.sell()
    cluster.sync()
    end_ns, lost_ns = a.house.log(opened).auction.end_ns, cluster.now_ns
    a.house.gateway_lost(lost_ns)
    cluster.after(4 * SECOND_NS)
    a.at_now().do(a.house.enter_outages(cluster.now_ns))
    cluster.hand_over(opened, "a", "b")
    assert cluster.kinds(opened)[-2:] == ["gap", "takeover"]
    assert cluster["b"].house.log(opened).auction.end_ns == end_ns + 5 * SECOND_NS
    cluster.after(3 * SECOND_NS)
    a.at_now().do(a.house.gateway_back(cluster.now_ns))
    first, second = (decode_event(each.kind, each.body) for each in cluster.entries(other)[-2:])
    assert first == Gap(lost_ns, lost_ns + 5 * SECOND_NS, GapCause.GATEWAY_LOST)
    assert second == Gap(lost_ns + 5 * SECOND_NS, cluster.now_ns + SECOND_NS, GapCause.GATEWAY_LOST)
    assert not a.house.owes_gaps


def test_a_time_that_could_not_be_entered_for_want_of_room_is_owed(cluster: Any, opened: bytes) -> None:
    a = cluster["a"]
    a.house.gateway_lost(cluster.now_ns)
    cluster.after(4 * SECOND_NS)
    a.is_full = True
    a.at_now().do(a.house.enter_outages(cluster.now_ns))
    assert a.house.owes_gaps
    assert a.house.alive_ns(cluster.now_ns) == cluster.now_ns - 4 * SECOND_NS
