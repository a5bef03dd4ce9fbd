"""A case proves what was signed, to whoever has its files and nothing else; anything changed in them proves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.replica.proven import ACCEPTED, BEFORE, CLOCK_HEAD, ENTRY, HEAD, LOG, NOW, REFUSED, judge
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.cosignature import Cosigner
from auctionctl.tlog.proof import TlogProof, encode_proof

SECOND_NS = 10**9


def bids(stage: Any, *amounts_minor: int, seq: int = 5, auction: bytes = b"a" * 32) -> list[bytes]:
    if 1 not in stage.house.presence.peers:
        stage.enter(1, "ann")
    made = [stage.bid(1, auction, amount_minor, seq=seq) for amount_minor in amounts_minor]
    return [bid.signature + bid.body for bid in made]


def note(stage: Any, size: int, root: bytes, log: str = "registry") -> bytes:
    return CheckpointSigner(origin_of(stage.key.identity.text, log), stage.key).sign(size, root)


def test_two_bids_under_one_number_are_proof_against_their_bidder(stage: Any, staging: Any) -> None:
    refused, accepted = bids(stage, 1_000, 1_001)
    finding = judge({REFUSED: refused, ACCEPTED: accepted})
    assert finding.is_proven
    assert (finding.against, finding.key) == ("bidder", staging.key_of("ann").identity.signing.hex())


def test_one_bid_alone_or_bids_under_two_numbers_prove_nothing(stage: Any) -> None:
    (first,), (second,) = bids(stage, 1_000), bids(stage, 1_000, seq=6)
    (elsewhere,) = bids(stage, 1_001, auction=b"b" * 32)
    for files in ({REFUSED: first}, *({REFUSED: first, ACCEPTED: each} for each in (first, second, elsewhere))):
        assert not judge(files).is_proven


def test_no_byte_of_a_case_can_be_changed(stage: Any) -> None:
    refused, accepted = bids(stage, 1_000, 1_001)
    for at in range(len(refused)):
        changed = refused[:at] + bytes([refused[at] ^ 1]) + refused[at + 1 :]
        assert not judge({REFUSED: changed, ACCEPTED: accepted}).is_proven
    for files in ({}, {REFUSED: b""}, {REFUSED: refused[:64], ACCEPTED: accepted}, {NOW: b"", BEFORE: b""}):
        assert judge(files).against == ""


def test_two_heads_of_one_size_are_proof_against_their_house(stage: Any) -> None:
    finding = judge({BEFORE: note(stage, 3, bytes(32)), NOW: note(stage, 3, b"r" * 32)})
    assert (finding.against, finding.key, finding.is_proven) == ("house", stage.key.identity.text, True)
    for other in (note(stage, 3, bytes(32)), note(stage, 4, b"r" * 32)):
        assert not judge({BEFORE: note(stage, 3, bytes(32)), NOW: other}).is_proven


def test_a_log_that_begins_otherwise_than_it_did_is_proof_with_the_log_beside_it(stage: Any) -> None:
    stage.announce()
    log = stage.registry_export()
    now, right = stage.house.registry.sign_head(), stage.house.registry.tree.root(2)
    assert judge({BEFORE: note(stage, 2, b"r" * 32), NOW: now, LOG: log}).is_proven
    assert not judge({BEFORE: note(stage, 2, right), NOW: now, LOG: log}).is_proven
    assert not judge({BEFORE: note(stage, 2, b"r" * 32), NOW: now, LOG: log[:40] + log[41:]}).is_proven


@pytest.mark.parametrize(("off_s", "is_proven"), [(-1, False), (0, False), (10, True)])
def test_an_entry_dated_before_a_clock_head_that_it_came_after_is_proof(
    stage: Any, off_s: int, is_proven: bool
) -> None:
    auction = stage.opened()
    log = stage.log(auction)
    index = log.tree.size - 1
    head_s = log.times_ns[index] // SECOND_NS + off_s
    timed = note(stage, index, log.tree.root(index), log.name)
    proof = TlogProof(index, log.tree.inclusion(index, index + 1), log.sign_head(), stage.data(auction)[index])
    files = {
        CLOCK_HEAD: Cosigner(stage.key.identity.text, stage.key).stamp(timed, head_s),
        HEAD: log.sign_head(),
        ENTRY: encode_proof(proof).encode(),
    }
    finding = judge(files)
    assert finding.is_proven is is_proven, finding.words
    assert finding.against == "house"
