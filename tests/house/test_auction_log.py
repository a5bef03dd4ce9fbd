"""One auction with its log: the reserve that it can open, the batch that it holds back, the head that it signs."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import msgspec
import pytest

from auctionctl.auction.auction import Auction
from auctionctl.auction.events import Opened
from auctionctl.auction.terms import (
    Reserve,
    ReserveOpening,
    auction_id,
    commit_reserve,
    decode_terms,
    encode_opening,
    encode_terms,
)
from auctionctl.errors import TermsError
from auctionctl.house.auction_log import AuctionLog, log_name, open_reserve
from auctionctl.keys.signing import seal_escrow
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.heads import sign_heads
from auctionctl.tlog.merkle import Tree, leaf_hash


def test_a_log_is_named_after_its_auction() -> None:
    assert log_name(b"\xab" * 32) == "auction/" + "ab" * 32


def test_a_reserve_is_opened_with_the_houses_key_alone(stage: Any, staging: ModuleType) -> None:
    body = stage.terms(reserve_minor=7_000).body
    opening = open_reserve(body, stage.key)
    assert opening is not None
    assert opening.minor == 7_000
    assert open_reserve(stage.terms().body, stage.key) is None
    with pytest.raises(TermsError, match="not sealed to this house"):
        open_reserve(body, staging.key_of("ann"))


def terms_with(stage: Any, committed: ReserveOpening, sealed: bytes) -> bytes:
    terms = decode_terms(stage.terms().body)
    reserve = Reserve(commit_reserve(committed, "EUR"), seal_escrow(stage.key.escrow_public, sealed, b"e" * 32))
    return encode_terms(msgspec.structs.replace(terms, rules=msgspec.structs.replace(terms.rules, reserve=reserve)))


def test_a_reserve_that_is_sealed_as_one_and_committed_as_another_is_refused(stage: Any) -> None:
    committed, sealed = ReserveOpening(7_000, b"s" * 32), ReserveOpening(1, b"s" * 32)
    assert open_reserve(terms_with(stage, committed, encode_opening(committed)), stage.key) == committed
    with pytest.raises(TermsError, match="not the one that the terms commit to"):
        open_reserve(terms_with(stage, committed, encode_opening(sealed)), stage.key)


def test_a_sealed_reserve_that_holds_no_amount_is_refused(stage: Any) -> None:
    with pytest.raises(TermsError, match="holds no amount"):
        open_reserve(terms_with(stage, ReserveOpening(7_000, b"s" * 32), b"\xc0"), stage.key)


def new_log(stage: Any) -> AuctionLog:
    message = stage.terms()
    return AuctionLog.announce(stage.key, message.body, message.signature, stage.now_ns)


def test_a_log_holds_its_batch_back_until_it_is_released(stage: Any) -> None:
    log = new_log(stage)
    assert (log.is_dirty, log.durable_size, log.checkpoint) == (True, 0, b"")
    append = log.to_append()
    assert append is not None
    assert (append.log, append.expected_size, len(append.entries)) == (log.name, 0, 1)
    with pytest.raises(AssertionError):
        log.sign_head()
    assert log.needs_head
    (note,) = sign_heads([log.head], stage.key)
    log.put_head(note)
    assert log.release() == ([], [])
    assert (log.is_dirty, log.needs_head, log.durable_size, log.to_append()) == (False, False, 1, None)
    origin = origin_of(stage.key.identity.text, log.name)
    assert open_checkpoint(log.checkpoint, origin, stage.key.identity.signing).root == log.tree.root()


def test_a_command_that_is_not_in_the_log_is_owed_nothing(stage: Any) -> None:
    log = new_log(stage)
    log.release()
    assert not log.owe_again(1, b"c" * 32)
    assert not log.is_dirty


def test_a_log_without_a_head_wants_one_before_it_answers(stage: Any) -> None:
    message = stage.terms()
    entry = Entry(Kind.TERMS, stage.now_ns, *message)
    tree = Tree()
    tree.append(leaf_hash(encode(entry)))
    auction = Auction(auction_id(message.body), decode_terms(message.body), stage.now_ns)
    log = AuctionLog(stage.key, entry, auction, tree)
    assert (log.is_dirty, log.needs_head) == (False, True)
    log.sign_head()
    assert not log.needs_head


def test_a_reader_gets_a_plain_note_of_the_same_head_as_was_signed_with_others(stage: Any) -> None:
    logs = [new_log(stage), new_log(stage)]
    for log, note in zip(logs, sign_heads([log.head for log in logs], stage.key), strict=True):
        log.put_head(note)
        log.release()
        plain = log.sign_head()
        origin = origin_of(stage.key.identity.text, log.name)
        heads = [open_checkpoint(each, origin, stage.key.identity.signing) for each in (note, plain)]
        assert heads[0] == heads[1]
        assert len(plain) < len(note)
        assert log.sign_head() is plain


def test_the_house_never_writes_what_the_rules_forbid(stage: Any) -> None:
    log = new_log(stage)
    with pytest.raises(AssertionError, match="opened with 0 bidders"):
        log.add_event(Opened(), stage.now_ns)
    assert log.tree.size == 1


def test_terms_of_another_house_begin_no_log(stage: Any, staging: ModuleType) -> None:
    message = stage.terms()
    with pytest.raises(TermsError, match="name another house"):
        AuctionLog.announce(staging.key_of("ann"), message.body, message.signature, stage.now_ns)
