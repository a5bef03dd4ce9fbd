"""Pages of the catalogue fit a message, whatever sellers write, and hold together every auction once."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from auctionctl.auction.terms import MAX_TERMS_BYTES, auction_id
from auctionctl.house.answers import LISTINGS_A_PAGE, MAX_LISTINGS_BYTES, catalogue_page, sign_rejections
from auctionctl.house.limits import Limits
from auctionctl.keys.signing import verify
from auctionctl.replica.announcement import check_announcement
from auctionctl.tlog.merkle import leaf_hash, verify_inclusion
from auctionctl.wire.frames import MAX_REPLY_BYTES, domain
from auctionctl.wire.messages import MAX_ANSWERS_A_MESSAGE, List, RejectionsHead, encode

# As large as terms get: every character of title and description takes four bytes.
MAXIMAL = {"title": "\U0001f3fa" * 200, "description": "\U0001f3fa" * 2_800}


@pytest.fixture
def full(staging: ModuleType) -> Any:
    """A house with 40 auctions under terms of maximal size."""
    stage = staging.Stage(Limits(max_concurrent_auctions=40))
    for _ in range(40):
        stage.announce(**MAXIMAL)
    assert MAX_TERMS_BYTES - 200 < len(stage.house.logs[0].terms_body) <= MAX_TERMS_BYTES
    return stage


def test_a_page_of_the_largest_terms_fits_a_message_and_is_no_shorter_than_it_has_to_be(full: Any) -> None:
    logs, registry = full.house.logs, full.house.registry
    start, seen = 0, []
    while start < len(logs):
        page = catalogue_page(logs, registry, start)
        assert len(encode(page)) <= MAX_REPLY_BYTES
        assert (page.start, page.total) == (start, 40)
        held = sum(len(each.terms) + len(each.announcement) for each in page.listings)
        assert held <= MAX_LISTINGS_BYTES
        is_last = start + len(page.listings) == 40
        assert is_last or held > MAX_LISTINGS_BYTES - 2 * MAX_TERMS_BYTES
        seen += [auction_id(each.terms) for each in page.listings]
        start += len(page.listings)
    assert seen == [log.id for log in logs]


def test_every_listing_is_announced_and_counts_what_is_durable(stage: Any) -> None:
    auctions = [stage.opened(), stage.announce(seller="sam")]
    page = catalogue_page(stage.house.logs, stage.house.registry, 0)
    assert [each.size for each in page.listings] == [4, 1]
    for auction, each in zip(auctions, page.listings, strict=True):
        log = stage.log(auction)
        check_announcement(each.announcement, stage.key.identity, auction, log.auction.terms, log.times_ns[0])
        assert (each.terms, each.signature) == (log.terms_body, log.terms_signature)


def test_a_page_of_small_terms_holds_so_many_and_no_more(staging: ModuleType) -> None:
    stage = staging.Stage(Limits(max_concurrent_auctions=40))
    for _ in range(LISTINGS_A_PAGE + 1):
        stage.announce()
    counts = [len(catalogue_page(stage.house.logs, stage.house.registry, start).listings) for start in (0, 16, 17, 99)]
    assert counts == [LISTINGS_A_PAGE, 1, 0, 0]


def test_a_house_that_has_announced_very_much_still_proves_within_a_message(full: Any, staging: ModuleType) -> None:
    full.enter(1, "olga", "observer")
    (page,) = staging.replies(full.handle(full.ask(1, List(39))), 1)
    assert len(page.listings) == 1


def test_rejections_are_signed_once_and_cut_into_messages(stage: Any, staging: ModuleType) -> None:
    batch = [(number % 2, b"rejection %d" % number) for number in range(2 * MAX_ANSWERS_A_MESSAGE + 2)]
    effects = sign_rejections(stage.key, batch)
    found = {}
    for session in (0, 1):
        answers = staging.replies(effects, session)
        assert [len(answer.rejections) for answer in answers] == [MAX_ANSWERS_A_MESSAGE, 1]
        for answer in answers:
            head = encode(RejectionsHead(answer.count, answer.root))
            assert verify(stage.key.identity.signing, domain("rejections_head") + head, answer.signature)
            for item in answer.rejections:
                leaf = leaf_hash(item.rejection)
                assert verify_inclusion(leaf, item.index, answer.count, item.proof, answer.root)
                found[item.index] = (session, item.rejection)
    assert [found[index] for index in range(len(batch))] == batch
