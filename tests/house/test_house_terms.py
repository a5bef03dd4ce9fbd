"""A seller's terms over the wire: an auction and a receipt for its first entry, or words that say why not."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS, auction_id, decode_terms, encode_terms
from auctionctl.errors import TermsError
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import SecretKey, seal_escrow
from auctionctl.replica.audit import audit
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of
from auctionctl.tlog.proof import Receipt, verify_receipt
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.messages import Acknowledged, Refused, Text

SELLER = 1
STRANGER = SecretKey(b"o" * 32)


def selling(stage: Any, name: str = "sue", session: int = SELLER) -> Any:
    stage.enter(session, name, "seller")
    return stage


def receipt(stage: Any, staging: ModuleType, effects: list[Any], session: int = SELLER) -> tuple[bytes, int]:
    """(command, size of the log that the receipt is under) of the one receipt, which holds for entry 0."""
    (answer,) = staging.replies(effects, session)
    assert isinstance(answer, Acknowledged)
    ((receipts,),) = (answer.logs,)
    (item,) = receipts.receipts
    assert (item.command, item.index) == (receipts.auction, 0)
    origin = origin_of(stage.key.identity.text, f"auction/{receipts.auction.hex()}")
    given = Receipt(item.index, item.time_ns, item.proof, receipts.checkpoint)
    verify_receipt(given, stage.data(receipts.auction)[0], origin, stage.key.identity.signing)
    return item.command, open_checkpoint(receipts.checkpoint, origin, stage.key.identity.signing).size


def everything(stage: Any) -> Any:
    state = stage.house.registry.state
    return (
        [(log.id, log.tree.root()) for log in stage.house.logs],
        stage.house.live_count,
        stage.house.get_timer(),
        (stage.house.registry.tree.root(), dict(state.auctions)),
        stage.store.logs() and {name: list(stage.store.read(name)) for name, _ in stage.store.logs()},
    )


def refused_offer(stage: Any, staging: ModuleType, request: Any, code: str, *words: str) -> None:
    """It is refused by its own name, in these words, and nothing is as it was not before."""
    before = everything(stage)
    (answer,) = staging.replies(stage.handle(request), request.session)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.command) == (code, command_id(request.body))
    for word in words:
        assert word in answer.message
    stage.handle()
    assert everything(stage) == before


def test_a_sellers_terms_begin_an_auction_and_are_receipted(stage: Any, staging: ModuleType) -> None:
    message = selling(stage).terms("sue", listing="lot-a", reserve_minor=2_000)
    effects = stage.handle(stage.offer(SELLER, message))
    assert receipt(stage, staging, effects) == (auction_id(message.body), 1)
    log = stage.log(auction_id(message.body))
    assert stage.house.find_listing(staging.key_of("sue").identity.signing, "lot-a") is log
    assert (log.terms_body, log.terms_signature) == message
    found = audit(stage.export(log.id), stage.key.identity)
    assert found.auction.terms == decode_terms(message.body)


def test_an_auction_that_was_offered_is_held_like_any_other(stage: Any, staging: ModuleType) -> None:
    message = selling(stage).terms("sue", min_bidders=1)
    stage.enter(2, "ann")
    auction = auction_id(message.body)
    # A joining in the same batch finds it.
    effects = stage.handle(stage.offer(SELLER, message), stage.join(2, auction))
    assert receipt(stage, staging, effects) == (auction, 3)
    assert stage.kinds(auction) == ["terms", "joined", "opened"]
    stage.after(21 * SECOND_NS)
    assert stage.kinds(auction)[-1] == "closed"


def test_the_same_bytes_again_give_the_same_entry_under_a_newer_checkpoint(stage: Any, staging: ModuleType) -> None:
    message = selling(stage).terms("sue")
    auction = auction_id(message.body)
    request = stage.offer(SELLER, message)
    effects = stage.handle(request, request)
    (answer,) = staging.replies(effects, SELLER)
    assert [item.index for item in answer.logs[0].receipts] == [0, 0]
    stage.enter(2, "ann")
    stage.handle(stage.join(2, auction))
    registry = stage.registry_data()
    assert receipt(stage, staging, stage.handle(request)) == (auction, 2)
    stage.after(31 * SECOND_NS)
    assert stage.house.live_count == 0
    assert receipt(stage, staging, stage.handle(request))[0] == auction
    stage.restart(SECOND_NS)
    selling(stage)
    assert receipt(stage, staging, stage.handle(request))[0] == auction
    assert stage.registry_data() == registry
    assert len(stage.house.logs) == 1


def test_the_same_bytes_are_receipted_where_nothing_new_would_be_taken(staging: ModuleType) -> None:
    stage = selling(staging.Stage(Limits(max_concurrent_auctions=1)))
    request = stage.offer(SELLER, stage.terms("sue"))
    stage.handle(request)
    assert receipt(stage, staging, stage.handle(request))[1] == 1


def test_other_terms_under_the_same_listing_are_refused_for_ever(stage: Any, staging: ModuleType) -> None:
    selling(stage).handle(stage.offer(SELLER, stage.terms("sue", listing="lot-a")))
    words = ("this seller has announced 'lot-a' before", "choose another listing name")
    refused_offer(stage, staging, stage.offer(SELLER, stage.terms("sue", listing="lot-a")), "terms", *words)
    stage.after(31 * SECOND_NS)
    refused_offer(stage, staging, stage.offer(SELLER, stage.terms("sue", listing="lot-a")), "terms", *words)
    stage.restart(SECOND_NS)
    selling(stage)
    refused_offer(stage, staging, stage.offer(SELLER, stage.terms("sue", listing="lot-a")), "terms", *words)


def test_two_sellers_may_use_one_name(stage: Any, staging: ModuleType) -> None:
    selling(selling(stage), "sam", 2)
    first, second = stage.terms("sue", listing="lot-a"), stage.terms("sam", listing="lot-a")
    effects = stage.handle(stage.offer(SELLER, first), stage.offer(2, second))
    assert receipt(stage, staging, effects)[0] == auction_id(first.body)
    assert receipt(stage, staging, effects, 2)[0] == auction_id(second.body)


def test_of_two_terms_for_one_listing_in_one_batch_the_first_is_taken(stage: Any, staging: ModuleType) -> None:
    selling(stage)
    first, second = (stage.offer(SELLER, stage.terms("sue", listing="lot-a")) for _ in range(2))
    answers = staging.replies(stage.handle(first, second), SELLER)
    assert {type(answer): answer for answer in answers}[Refused].command == command_id(second.body)
    assert [log.id for log in stage.house.logs] == [command_id(first.body)]


def test_nobody_offers_for_another_seller(stage: Any, staging: ModuleType) -> None:
    selling(selling(stage), "sam", 2)
    message = stage.terms("sue")
    words = "terms are signed by their session's identity"
    refused_offer(stage, staging, stage.offer(2, message), "terms", words)
    refused_offer(stage, staging, stage.offer(SELLER, message)._replace(signer=b""), "terms", words)
    forged = stage.offer(SELLER, message)._replace(signer=staging.key_of("sam").identity.signing)
    refused_offer(stage, staging, forged, "terms", words)
    stage.handle(stage.offer(SELLER, message))
    # Nor does anybody get the receipt for them.
    refused_offer(stage, staging, stage.offer(2, message), "terms", words)


@pytest.mark.parametrize(("name", "role"), [("ann", "bidder"), ("otto", "operator"), ("sue", "observer")])
def test_terms_need_the_role_of_a_seller(stage: Any, staging: ModuleType, name: str, role: str) -> None:
    stage.enter(1, name, role)
    message = stage.terms(name)
    words = f"terms needs the role seller, and this session is {role}"
    refused_offer(stage, staging, stage.offer(1, message), "not_authorised", words)


def test_terms_wait_for_a_hello(stage: Any, staging: ModuleType) -> None:
    (answer,) = staging.replies(stage.handle(stage.offer(9, stage.terms())), 9)
    assert answer.code == "no_session"
    assert stage.house.live_count == 0


def test_a_seller_taken_off_the_list_sells_nothing_more_and_its_auction_goes_on(
    stage: Any, staging: ModuleType
) -> None:
    selling(stage).handle(stage.offer(SELLER, stage.terms("sue")))
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder", sue="bidder"), stage.now_ns))
    (answer,) = staging.replies(stage.handle(stage.offer(SELLER, stage.terms("sue"))), SELLER)
    assert answer.code == "no_session"
    with pytest.raises(TermsError, match="this house knows no such seller") as raised:
        stage.house.announce(*stage.terms("sue"), stage.now_ns)
    assert not raised.value.hint, "another listing name would not help"
    assert stage.house.live_count == 1


def test_too_many_auctions_are_refused_until_one_ends(staging: ModuleType) -> None:
    stage = selling(staging.Stage(Limits(max_concurrent_auctions=1)))
    stage.handle(stage.offer(SELLER, stage.terms("sue")))
    request = stage.offer(SELLER, stage.terms("sue"))
    words = "holds 1 auctions, and its limit is 1"
    refused_offer(stage, staging, request, "terms", words, "wait for one to end")
    stage.after(31 * SECOND_NS)
    assert receipt(stage, staging, stage.handle(request))[0] == command_id(request.body)


def malformed(stage: Any, body: bytes) -> Any:
    """Bytes that their seller signed, whatever they are."""
    return stage.offer(SELLER, Message(body, bytes(64)))


def test_malformed_terms_are_refused(stage: Any, staging: ModuleType) -> None:
    good = selling(stage).terms("sue").body
    for body in (good[:-1], b"\x91\xa5terms", good + b"\0", good[:7] + b"\xff" + good[8:]):
        refused_offer(stage, staging, malformed(stage, body), "terms", "not terms")
    refused_offer(stage, staging, malformed(stage, good + bytes(12_288)), "terms", "more than 12288")


def test_a_refusal_that_repeats_hostile_text_still_fits_a_message(stage: Any, staging: ModuleType) -> None:
    terms = decode_terms(selling(stage).terms("sue", listing="lot-1").body)
    body = encode_terms(terms).replace(b"\xa5lot-1", b"\xda\x0f\xa0" + b"\x1b" * 4_000)
    limit = next(meta.max_length for meta in Text.__metadata__ if meta.max_length)
    (answer,) = staging.replies(stage.handle(malformed(stage, body)), SELLER)
    assert answer.message.startswith("the listing '\\x1b")
    assert len(answer.message) == limit


def test_terms_of_another_house_are_refused(stage: Any, staging: ModuleType) -> None:
    other = staging.Stage()
    other.key = STRANGER
    request = selling(stage).offer(SELLER, other.terms("sue"))
    refused_offer(stage, staging, request, "terms", "these terms name another house")


def test_a_reserve_that_the_house_cannot_open_is_refused(stage: Any, staging: ModuleType) -> None:
    selling(stage)
    terms = decode_terms(stage.terms("sue", reserve_minor=2_000).body)
    reserve = terms.rules.reserve
    assert reserve is not None

    def sealed_here(plain: bytes) -> bytes:
        return seal_escrow(stage.key.escrow_public, plain, bytes(32))

    bad = {
        "not sealed to this house": [
            replace(reserve, sealed=reserve.sealed[:-1] + bytes([reserve.sealed[-1] ^ 1])),
            replace(reserve, sealed=b"s"),
            replace(reserve, sealed=seal_escrow(STRANGER.escrow_public, b"\x92", bytes(32))),
        ],
        "the sealed reserve holds no amount": [
            replace(reserve, sealed=sealed_here(b"\xc1")),
            replace(reserve, sealed=sealed_here(b"\x92\xff\xc4\x20" + bytes(32))),
            replace(reserve, sealed=sealed_here(b"\x92\xcf" + b"\xff" * 8 + b"\xc4\x20" + bytes(32))),
        ],
        "not in canonical form": [replace(reserve, sealed=sealed_here(b"\x92\xcc\x05\xc4\x20" + bytes(32)))],
        "not the one that the terms commit to": [replace(reserve, commitment=bytes(32))],
    }
    for words, reserves in bad.items():
        for each in reserves:
            changed = replace(terms, rules=replace(terms.rules, reserve=each))
            request = stage.offer(SELLER, sign_body(staging.key_of("sue"), encode_terms(changed)))
            refused_offer(stage, staging, request, "terms", words)


def test_a_refused_offer_leaves_the_rest_of_its_batch_alone(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    stage.enter(3, "sue", "seller")
    bad, good, bid = (
        stage.offer(3, stage.terms("sam")),
        stage.offer(3, stage.terms("sue")),
        stage.bid(1, auction, 1_000),
    )
    effects = stage.handle(bad, bid, good)
    assert {type(answer) for answer in staging.replies(effects, 3)} == {Refused, Acknowledged}
    assert stage.kinds(auction)[-1] == "bid"
    assert [log.id for log in stage.house.logs] == [auction, command_id(good.body)]
