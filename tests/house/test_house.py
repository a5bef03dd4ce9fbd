"""What the house takes on, from whom, and what it answers to those who ask."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.errors import NotFoundError, TermsError
from auctionctl.house.answers import LISTINGS_A_PAGE
from auctionctl.house.effects import Commit, Fetch, Follow, Greeted, Page, Publish, Send
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of
from auctionctl.wire.frames import is_signed_by, sign_body
from auctionctl.wire.messages import (
    Acknowledged,
    Bye,
    Catalogue,
    Hello,
    List,
    Ping,
    Read,
    Refused,
    Subscribe,
    Welcome,
    decode_reply,
)
from auctionctl.wire.messages import encode as encode_message

# Announcing


def test_terms_become_a_log_of_one_entry_under_a_signed_head(stage: Any) -> None:
    message = stage.terms(listing="lot-a")
    effects = stage.do(stage.house.announce(message.body, message.signature, stage.now_ns))
    auction = auction_id(message.body)
    assert [type(effect) for effect in effects] == [Commit]
    (entry,) = stage.entries(auction)
    assert (entry.kind, entry.time_ns, entry.body, entry.signature) == ("terms", stage.now_ns, *message)
    log = stage.log(auction)
    assert log.name == f"auction/{auction.hex()}"
    origin = origin_of(stage.key.identity.text, log.name)
    head = open_checkpoint(log.checkpoint, origin, stage.key.identity.signing)
    assert (head.size, head.root) == (1, log.tree.root())
    assert stage.house.find_listing(log.auction.terms.seller, "lot-a") is log
    assert (list(stage.house.logs), stage.house.live_count) == ([log], 1)


def refused_terms(stage: Any, body: bytes, signature: bytes, reason: str) -> None:
    before = (list(stage.house.logs), stage.house.live_count, stage.house.get_timer())
    with pytest.raises(TermsError, match=reason):
        stage.house.announce(body, signature, stage.now_ns)
    assert (list(stage.house.logs), stage.house.live_count, stage.house.get_timer()) == before
    assert stage.do(stage.house.handle_timer(stage.now_ns)) == []


def test_terms_that_their_seller_did_not_sign_are_refused(stage: Any) -> None:
    message = stage.terms()
    refused_terms(stage, message.body, bytes(64), "not signed by their seller")
    refused_terms(stage, message.body, sign_body(stage.key, message.body).signature, "not signed by their seller")


def test_terms_of_another_house_are_refused(stage: Any, staging: ModuleType) -> None:
    other = staging.Stage()
    other.key = SecretKey(b"o" * 32)
    refused_terms(stage, *other.terms(), "name another house")


def test_what_is_no_terms_is_refused(stage: Any) -> None:
    refused_terms(stage, b"\x91\xa5terms", bytes(64), "not terms")


def test_a_reserve_that_this_house_cannot_open_is_refused(stage: Any, staging: ModuleType) -> None:
    lot = staging.LotDescription("lot-r", "A lot", "EUR", 1_000, reserve_minor=5_000)
    entropy = staging.Entropy(bytes(16), bytes(32), bytes(32))
    stranger = SecretKey(b"o" * 32)
    message = staging.sign_terms(
        lot, stage.key.identity.signing, stranger.escrow_public, staging.key_of("sue"), entropy
    )
    refused_terms(stage, *message, "not sealed to this house")


def test_a_seller_lists_a_name_once_even_after_the_end(stage: Any) -> None:
    stage.announce(listing="lot-a")
    refused_terms(stage, *stage.terms(listing="lot-a"), "announced 'lot-a' before")
    stage.after(31 * SECOND_NS)
    assert stage.house.live_count == 0
    refused_terms(stage, *stage.terms(listing="lot-a"), "announced 'lot-a' before")
    stage.announce(listing="lot-a", seller="sam")


def test_a_house_takes_on_no_more_auctions_than_its_limit_until_one_ends(staging: ModuleType) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=2))
    stage.announce()
    stage.after(10 * SECOND_NS)
    stage.announce()
    refused_terms(stage, *stage.terms(), "holds 2 auctions, and its limit is 2")
    stage.after(21 * SECOND_NS)
    assert stage.house.live_count == 1
    stage.announce()
    assert stage.house.live_count == 2


def test_an_auction_that_the_house_does_not_hold_is_not_found(stage: Any) -> None:
    with pytest.raises(NotFoundError, match="holds no auction 000000000000…"):
        stage.log(bytes(32))


# Sessions


def test_a_greeting_is_answered_with_a_signed_welcome(stage: Any, staging: ModuleType) -> None:
    effects = stage.handle(stage.hello(7, "ann"))
    ann = staging.key_of("ann").identity
    assert effects[0] == Greeted(7, ann, "ann", "bidder")
    assert isinstance(effects[1], Send)
    (welcome,) = staging.replies(effects, 7)
    assert isinstance(welcome, Welcome)
    assert (welcome.queue_limit, welcome.time_ns) == (stage.limits.queue, stage.now_ns)
    assert is_signed_by(stage.key.identity.signing, *effects[1].message)


def test_a_hello_that_does_not_hold_is_refused_and_makes_no_session(stage: Any, staging: ModuleType) -> None:
    good = stage.hello(1, "ann")
    stranger = stage.hello(1, "eve")
    malformed = good._replace(body=good.body[:-1])
    cases = [
        (good._replace(signer=b""), "not signed by its identity"),
        (good._replace(signer=staging.key_of("ben").identity.signing), "not signed by its identity"),
        (good._replace(transport=b"t" * 32), "another connection"),
        (stranger, "not on the allow list"),
        (stage.hello(1, "ann", "operator"), "admitted as bidder, not as operator"),
        (malformed, "malformed"),
    ]
    for request, reason in cases:
        (answer,) = staging.replies(stage.handle(request), 1)
        assert isinstance(answer, Refused)
        assert (answer.code, answer.command) == ("not_authorised", b"")
        assert reason in answer.message
    assert stage.house.presence.peers == {}


def test_nothing_is_heard_before_a_hello(stage: Any, staging: ModuleType) -> None:
    auction = stage.announce()
    stage.enter(1, "ann")
    for request in (stage.join(1, auction), stage.bid(1, auction, 1_000), stage.ask(1, List(0))):
        (answer,) = staging.replies(stage.handle(request._replace(session=9)), 9)
        assert answer == Refused("no_session", "say hello first")
    assert stage.kinds(auction) == ["terms"]


@pytest.mark.parametrize(("name", "role"), [("sue", "seller"), ("otto", "operator"), ("olga", "observer")])
def test_a_bid_needs_the_role_of_a_bidder(stage: Any, staging: ModuleType, name: str, role: str) -> None:
    auction = stage.announce(seller="sam" if name == "sue" else "sue")
    stage.enter(1, name, role)
    for request in (stage.join(1, auction), stage.bid(1, auction, 1_000)):
        (answer,) = staging.replies(stage.handle(request), 1)
        assert (answer.code, answer.command) == ("not_authorised", command_id(request.body))
        assert answer.message.endswith(f"needs the role bidder, and this session is {role}")
    assert stage.kinds(auction) == ["terms"]


def test_a_bidder_who_came_to_look_on_does_not_bid(stage: Any, staging: ModuleType) -> None:
    auction = stage.announce()
    stage.enter(1, "ann", "observer")
    (answer,) = staging.replies(stage.handle(stage.join(1, auction)), 1)
    assert answer.code == "not_authorised"


def test_goodbye_ends_a_session_at_once(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    effects = stage.handle(stage.ask(1, Bye()), stage.bid(1, auction, 1_000))
    assert [reply.code for reply in staging.replies(effects, 1)] == ["no_session"]
    assert list(stage.house.presence.peers) == [2]


def test_whoever_leaves_the_allow_list_or_loses_the_role_has_no_session_and_the_bid_stands(
    stage: Any, staging: ModuleType
) -> None:
    auction = stage.opened()
    stage.enter(3, "ann", "observer")
    stage.handle(stage.bid(1, auction, 1_000))
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="observer", cleo="bidder"), stage.now_ns))
    assert list(stage.house.presence.peers) == [3]
    for session in (1, 2):
        (answer,) = staging.replies(stage.handle(stage.bid(session, auction, 2_000)), session)
        assert answer.code == "no_session"
    (answer,) = staging.replies(stage.handle(stage.hello(1, "ann")), 1)
    assert "admitted as observer, not as bidder" in answer.message
    (answer,) = staging.replies(stage.handle(stage.hello(2, "ben")), 2)
    assert "not on the allow list" in answer.message
    standing = stage.log(auction).auction.standing
    assert (standing.price_minor, standing.leader) == (1_000, staging.key_of("ann").identity.signing)


def test_an_identity_whose_transport_key_changed_has_no_session(stage: Any, staging: ModuleType) -> None:
    stage.enter(1, "ann")
    ann, eve = staging.key_of("ann").identity, staging.key_of("eve").identity
    entry = staging.Entry(type(ann)(ann.signing, eve.transport), "ann")
    stage.do(stage.house.set_allowed(staging.AllowList([(1, entry)]), stage.now_ns))
    assert stage.house.presence.peers == {}


def test_the_same_list_again_ends_no_session(stage: Any, staging: ModuleType) -> None:
    stage.opened()
    stage.do(stage.house.set_allowed(staging.EVERYBODY, stage.now_ns))
    assert sorted(stage.house.presence.peers) == [1, 2]


# Requests


@pytest.mark.parametrize("what", ["bid", "join"])
def test_a_command_is_signed_by_the_identity_of_its_session(stage: Any, staging: ModuleType, what: str) -> None:
    auction = stage.opened()
    stage.enter(3, "cleo")
    bens = stage.bid(2, auction, 1_000) if what == "bid" else stage.join(2, auction)
    size = len(stage.data(auction))
    for request in (bens._replace(session=3), bens._replace(signer=b""), bens._replace(signer=b"x" * 32)):
        (answer,) = staging.replies(stage.handle(request), request.session)
        assert isinstance(answer, Refused)
        assert (answer.code, answer.command) == ("not_authorised", staging.command_of(bens))
        assert "signed by its session's identity" in answer.message
    assert len(stage.data(auction)) == size


def test_what_is_malformed_is_answered_with_its_own_name(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    whole = [stage.bid(1, auction, 1_000), stage.join(1, auction), stage.ask(1, Read(auction, 0))]
    for request in whole:
        torn = request._replace(body=request.body[:-1])
        (answer,) = staging.replies(stage.handle(torn), 1)
        assert (answer.code, answer.command) == ("malformed", staging.command_of(torn))


def test_what_is_not_for_the_house_is_refused(stage: Any, staging: ModuleType) -> None:
    stage.enter(1, "ann")
    for message in (Ping(1), Refused("busy", "")):
        (answer,) = staging.replies(stage.handle(stage.ask(1, message)), 1)
        assert answer.code == "unknown_type"


@pytest.mark.parametrize("what", ["bid", "join", "read"])
def test_an_auction_that_is_not_here_is_named(stage: Any, staging: ModuleType, what: str) -> None:
    stage.enter(1, "ann")
    asked = stage.ask(1, Read(b"\xab" * 32, 0))
    commands = {"bid": stage.bid(1, b"\xab" * 32, 100), "join": stage.join(1, b"\xab" * 32), "read": asked}
    (answer,) = staging.replies(stage.handle(commands[what]), 1)
    expected = b"\xab" * 32 if what == "read" else staging.command_of(commands[what])
    assert (answer.code, answer.command) == ("no_such_auction", expected)
    assert "abababababab…" in answer.message


def test_the_catalogue_comes_in_pages_that_hold_every_auction_once(staging: ModuleType) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=40))
    auctions = [stage.announce() for _ in range(2 * LISTINGS_A_PAGE + 3)]
    stage.enter(1, "olga", "observer")
    seen: list[bytes] = []
    for start in (0, LISTINGS_A_PAGE, 2 * LISTINGS_A_PAGE):
        (page,) = staging.replies(stage.handle(stage.ask(1, List(start))), 1)
        assert (page.start, page.total) == (start, len(auctions))
        seen += [auction_id(listing.terms) for listing in page.listings]
    assert seen == auctions
    assert all(is_signed_by(staging.key_of("sue").identity.signing, x.terms, x.signature) for x in page.listings)
    (beyond,) = staging.replies(stage.handle(stage.ask(1, List(500))), 1)
    assert beyond == Catalogue(500, len(auctions), ())


def test_the_catalogue_counts_durable_entries_only(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    stage.is_held = True
    effects = stage.handle(stage.bid(1, auction, 1_000), stage.ask(2, List(0)))
    assert isinstance(effects[-1], Commit)
    assert staging.replies(effects, 2) == [], "nothing is told of a batch that is not durable"
    (page,) = staging.replies(stage.settle(), 2)
    assert [listing.size for listing in page.listings] == [len(stage.data(auction))] == [5]


def test_a_session_that_asks_for_the_catalogue_many_times_in_one_batch_gets_one_page(
    stage: Any, staging: ModuleType
) -> None:
    auctions = [stage.opened() for _ in range(2)]
    stage.enter(3, "olga", "observer")
    effects = stage.handle(*(stage.ask(3, List(start)) for start in (0, 0, 1)), stage.ask(1, List(0)))
    pages = [effect for effect in effects if isinstance(effect, Page)]
    assert [(page.session, len(decode_reply(page.message.body).listings)) for page in pages] == [(3, 1), (1, 2)]
    assert len(auctions) == 2


def test_a_subscription_is_to_the_auctions_that_there_are(stage: Any) -> None:
    first, second = stage.announce(), stage.announce()
    stage.enter(1, "olga", "observer")
    effects = stage.handle(stage.ask(1, Subscribe((second, b"x" * 32, first))))
    assert effects == [Follow(1, (second, first))]
    assert (stage.log(first).followers, stage.log(second).followers) == ({1}, {1})


def test_only_a_followed_log_is_published_and_no_longer_than_it_is(stage: Any) -> None:
    auction = stage.opened()
    stage.enter(3, "olga", "observer")
    assert not any(isinstance(effect, Publish) for effect in stage.handle(stage.bid(1, auction, 1_000)))
    stage.handle(stage.ask(3, Subscribe((auction,))))
    assert any(isinstance(effect, Publish) for effect in stage.handle(stage.bid(2, auction, 2_000)))
    stage.house.session_ended(3, stage.now_ns)
    assert not any(isinstance(effect, Publish) for effect in stage.handle(stage.bid(1, auction, 3_000)))


def test_while_there_is_no_gateway_the_house_is_not_alive(stage: Any) -> None:
    lost_ns = stage.now_ns
    assert stage.house.alive_ns(lost_ns) == lost_ns
    stage.house.gateway_lost(lost_ns)
    assert stage.house.alive_ns(lost_ns + SECOND_NS) == lost_ns
    stage.do(stage.house.gateway_back(lost_ns + SECOND_NS))
    assert stage.house.alive_ns(lost_ns + SECOND_NS) == lost_ns + SECOND_NS


def test_an_empty_request_ends_its_session(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    stage.handle(staging.Request(1, b"", b"", b""))
    (answer,) = staging.replies(stage.handle(stage.bid(1, auction, 1_000)), 1)
    assert answer.code == "no_session"


def test_questions_about_one_log_in_one_batch_are_answered_once(stage: Any) -> None:
    auction = stage.opened()
    effects = stage.handle(*(stage.ask(1, Read(auction, start)) for start in (0, 3, 2)))
    assert [effect.start for effect in effects if isinstance(effect, Fetch)] == [2]


def test_reading_is_answered_from_the_store_under_the_present_head(stage: Any) -> None:
    auction = stage.opened()
    stage.enter(3, "olga", "observer")
    log = stage.log(auction)
    effects = stage.handle(stage.ask(3, Read(auction, 2)))
    assert effects == [Fetch(3, log.name, auction, 2, log.checkpoint, log.tree.size)]


def test_reading_beside_a_bid_is_answered_with_the_bid_in_it(stage: Any) -> None:
    auction = stage.opened()
    old = stage.log(auction).checkpoint
    effects = stage.handle(stage.ask(2, Read(auction, 0)), stage.bid(1, auction, 1_000))
    assert isinstance(effects[0], Commit)
    (fetch,) = [effect for effect in effects if isinstance(effect, Fetch)]
    assert effects[-1] is fetch
    assert fetch.checkpoint == stage.log(auction).checkpoint != old


def test_a_forged_hello_type_in_a_reply_body_changes_nothing(stage: Any, staging: ModuleType) -> None:
    # The type is that of a hello, the rest is not.
    body = encode_message(Bye()).replace(b"\xa3bye", b"\xa5hello")
    (answer,) = staging.replies(stage.handle(staging.Request(1, b"", body, b"")), 1)
    assert answer.code == "not_authorised"
    assert Hello.__struct_config__.tag == "hello"


def test_a_log_without_followers_still_answers_receipts(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    (answer,) = staging.replies(stage.handle(stage.bid(1, auction, 1_000)), 1)
    assert isinstance(answer, Acknowledged)
