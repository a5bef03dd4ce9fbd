"""The page from which a verifier is written names everything that is judged, in the order in which it is judged."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

import auctionctl.replica
from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, decode_bid, decode_join
from auctionctl.auction.claims import MAX_GAP_GRACE_NS
from auctionctl.auction.commands import KINDS, MAX_COMMAND_TIME_NS, MAX_WORDS_CHARACTERS, AnyCommand, Capacity
from auctionctl.auction.events import DefaultCause, GapCause, HouseEvent, PauseCause, kind_of
from auctionctl.auction.formats.format import Standing
from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.auction.price import MINOR_DIGITS
from auctionctl.auction.rejection import Code
from auctionctl.auction.rules import MAX_PAUSES, Cancellation, Disconnection, OnDefault
from auctionctl.auction.terms import (
    MAX_BID_TIMEOUT_NS,
    MAX_DURATION_NS,
    MAX_TERMS_BYTES,
    MIN_BID_TIMEOUT_NS,
    SECOND_NS,
    Terms,
)
from auctionctl.cli.manual.log_bodies import BODIES, CONSENT, PARTS_OF_TERMS
from auctionctl.cli.manual.log_commands import OF_OPERATORS, OF_THE_SALE, operator_refusals, sale_refusals
from auctionctl.cli.manual.log_example import OPENED, START_NS, WINNING_BID, Example, build_example, key_of
from auctionctl.cli.manual.log_example_parts import hex_lines
from auctionctl.cli.manual.log_page import page
from auctionctl.cli.manual.log_rules import BID_REFUSALS, JOIN_REFUSALS
from auctionctl.cli.manual.roff import Code as Lines
from auctionctl.cli.manual.roff import Table, render
from auctionctl.cli.manual.shapes import fields_of, tag_of
from auctionctl.errors import VerificationError
from auctionctl.replica.audit import Audit, audit
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import RegistryEvent
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import MAX_ENTRY_BYTES, Kind, decode
from auctionctl.tlog.note import MAX_HEADS, MAX_NOTE_BYTES
from auctionctl.tlog.proof import MAX_EXTRA_BYTES, MAX_PROOF_CHARACTERS

PAGE = page()
TEXT = re.sub(r"\\f[BRI]", "", render(PAGE)).replace(r"\(dq", '"').replace(r"\-", "-")
WORDS = set(re.findall(r"[a-z0-9_]+", TEXT))


@pytest.fixture(scope="module")
def example() -> Example:
    return build_example()


def test_every_kind_phase_code_end_reason_and_cause_is_named() -> None:
    causes = (GapCause, PauseCause, DefaultCause, Capacity, Disconnection, OnDefault, Cancellation)
    for words in (Kind, Phase, Stage, Code, EndReason, *causes):
        assert {each.value for each in words} <= WORDS


def test_every_body_that_is_judged_has_a_table_of_all_its_fields() -> None:
    judged = {Terms, Join, Bid, *get_args(HouseEvent), *get_args(AnyCommand), *get_args(RegistryEvent)}
    assert judged == {body.struct for body in BODIES}
    tables = [[row[1] for row in part.rows] for part in PAGE.parts if isinstance(part, Table)]
    for struct, meanings in (*((body.struct, body.meanings) for body in BODIES), *PARTS_OF_TERMS, CONSENT):
        names = [f"`{field.encode_name}`" for field in fields_of(struct)]
        assert [name.strip("`") for name in names] == list(meanings)
        assert [*([""] if tag_of(struct) else []), *names] in tables, struct


@pytest.mark.parametrize(
    "bound",
    [
        MAX_BID_TIMEOUT_NS,
        MIN_BID_TIMEOUT_NS,
        MAX_DURATION_NS,
        MAX_TERMS_BYTES,
        MAX_ENTRY_BYTES,
        MAX_NOTE_BYTES,
        MAX_HEADS,
        MAX_EXTRA_BYTES,
        MAX_PROOF_CHARACTERS,
        MAX_GAP_GRACE_NS,
        MAX_COMMAND_TIME_NS,
        MAX_PAUSES,
        MAX_WORDS_CHARACTERS,
    ],
)
def test_every_bound_is_named(bound: int) -> None:
    assert re.search(rf"\b{bound}\b", TEXT)


def test_a_kind_with_two_bodies_holds_a_signed_one_and_then_one_of_the_house() -> None:
    several = [(body.kind, bool(body.signer)) for body in BODIES]
    for kind in {kind for kind, _ in several}:
        assert [signed for each, signed in several if each == kind] in ([True], [False], [True, False]), kind
    signed = {body.kind: tag_of(body.struct) for body in BODIES if body.signer}
    assert {tag: kind for kind, tag in signed.items()} == {
        "terms": "terms",
        "join": "joined",
        "bid": "bid",
        "revoke": "key_revoked",
        "rotate": "key_rotated",
        **KINDS,
    }


def test_every_code_stands_in_a_table_of_reasons() -> None:
    commands = [*map(operator_refusals, OF_OPERATORS), *map(sale_refusals, OF_THE_SALE)]
    assert {code for table in (JOIN_REFUSALS, BID_REFUSALS, *commands) for code, _ in table} == set(Code)
    assert {*OF_OPERATORS, *OF_THE_SALE} == set(KINDS)


def test_the_page_does_not_speak_of_the_source() -> None:
    assert not re.search(r"auctionctl\.[a-z]", TEXT)


def test_every_currency_is_named() -> None:
    (table,) = [part for part in PAGE.parts if isinstance(part, Table) and part.columns == ("digits", "codes")]
    assert {code: int(digits) for digits, codes in table.rows for code in codes.split()} == MINOR_DIGITS


def test_the_words_of_verify_are_all_in_the_page() -> None:
    rules = {"inclusion"}
    for path in Path(auctionctl.replica.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "rule" and isinstance(node.value, ast.Constant):
                rules.add(node.value.value)
    assert {"format", "checkpoint", "signature", "phase", "entry", "root"} < rules
    assert rules <= WORDS


def test_the_example_of_the_page_is_a_log_that_verifies(example: Example) -> None:
    whole = hex_lines(example.file)
    assert Lines(whole) in PAGE.parts
    result = audit(bytes.fromhex(whole.replace("\n", "")), key_of("house").identity)
    assert_as_told(result)
    for index in (OPENED, WINNING_BID):
        assert Lines(hex_lines(example.entries[index])) in PAGE.parts
    assert example.root == result.checkpoint.root


def test_the_example_verifies_under_the_checkpoint_that_was_signed_with_others(example: Example) -> None:
    assert Lines(hex_lines(example.heads_note)) in PAGE.parts
    file = encode_export(example.entries, example.heads_note, example.announcement)
    assert_as_told(audit(file, key_of("house").identity))


def test_the_example_does_not_verify_once_a_byte_is_another(example: Example) -> None:
    for place in (30, len(example.file) // 2, len(example.file) - 5):
        other = bytes([example.file[place] ^ 1])
        with pytest.raises(VerificationError):
            audit(example.file[:place] + other + example.file[place + 1 :], key_of("house").identity)


def assert_as_told(result: Audit) -> None:
    auction = result.auction
    assert auction.end_reason is EndReason.COMPLETED
    assert result.is_finished
    assert auction.sale == Standing(1_600, key_of("ann").identity.signing, 4)
    assert (auction.bid_count, auction.extensions, auction.pauses.count) == (2, 1, 2)
    assert auction.end_ns == START_NS + 100 * SECOND_NS
    assert result.contested == ()
    otto = key_of("otto").identity.signing
    assert [(index, operator) for index, _, operator in result.operations] == [(6, otto), (7, otto), (20, otto)]


def test_the_example_goes_as_it_is_told(example: Example) -> None:
    """The times that the page names, in seconds: ends, caps, and until when what is owed."""
    told = {3: 68, 5: 78, 7: 84, 9: 52 + 30, 11: 92, 12: 100, 13: 200, 15: 210, 16: 260, 17: 270, 18: 340}
    for index, seconds in told.items():
        timer_ns = state_after(example, index + 1).get_timer()
        assert timer_ns == START_NS + seconds * SECOND_NS, index
    for index, kind in ((8, "paused"), (10, "resumed")):
        must = state_after(example, index + 1).must_follow
        assert must is not None
        assert kind_of(must) == kind
    assert state_after(example, 6).gap_floor_ns == START_NS + 40 * SECOND_NS
    shown = [line for part in PAGE.parts if isinstance(part, Lines) for line in part.text.splitlines()]
    assert "16 defaulted        210  74 defaulted       260 210" in shown


def state_after(example: Example, size: int) -> Auction:
    replay = Replay(example.house.identity.signing, example.auction)
    for data in example.entries[:size]:
        replay.apply(data)
    return replay.state


def test_a_bid_is_judged_in_the_order_of_the_page(example: Example) -> None:
    """A bid with everything wrong is mended piece by piece: each time the next line of the table is the reason."""
    auction = state_after(example, WINNING_BID)
    ann, ben = key_of("ann").identity.signing, key_of("ben").identity.signing
    good = replace(decode_bid(decode(example.entries[WINNING_BID]).body), bidder=ben)
    now_ns = good.placed_at_ns
    bid = replace(good, house=bytes(32), bidder=auction.terms.seller, currency="JPY", amount_minor=1, not_after_ns=0)
    steps: list[tuple[Bid, int]] = [(bid, auction.end_ns)]

    def mend(at_ns: int = now_ns, **fields: object) -> None:
        steps.append((replace(steps[-1][0], **fields), at_ns))

    mend(auction.end_ns, house=good.house)
    mend()
    mend(bidder=bytes(32))
    mend(bidder=ann)
    mend(currency="EUR", seq=1)
    auction.seqs[ann] = 2
    mend()
    auction.seqs[ann] = 1
    steps.pop()
    codes = [refusal.code for step, at_ns in steps if (refusal := auction.decide_bid(step, at_ns))]
    auction.seqs[ann] = 2
    stale = auction.decide_bid(steps[-1][0], now_ns)
    assert stale is not None
    codes.append(stale.code)
    auction.seqs[ann] = 1
    mend(seq=2)
    mend(not_after_ns=now_ns + auction.terms.rules.bid_timeout_ns + 1)
    mend(not_after_ns=now_ns)
    mend(bidder=ben)
    for step, at_ns in steps[-4:]:
        refusal = auction.decide_bid(step, at_ns)
        assert refusal is not None
        codes.append(refusal.code)
    table = [code for code, _ in BID_REFUSALS]
    seen_elsewhere = (Code.NOT_OPEN, Code.PAUSED, Code.BELOW_STARTING_PRICE)
    assert codes == [code for code in table if code not in seen_elsewhere]
    assert auction.decide_bid(good, now_ns) is None

    early = state_after(example, 3).decide_bid(bid, now_ns)
    assert early is not None
    assert early.code is Code.WRONG_HOUSE
    first = state_after(example, 4).decide_bid(steps[-1][0], START_NS + 9 * SECOND_NS)
    assert first is not None
    assert first.code is Code.NOT_AFTER_TOO_FAR
    low = replace(steps[-1][0], not_after_ns=START_NS + 9 * SECOND_NS)
    below = state_after(example, 4).decide_bid(low, START_NS + 9 * SECOND_NS)
    assert below is not None
    assert below.code is Code.BELOW_STARTING_PRICE


def test_a_joining_is_judged_in_the_order_of_the_page(example: Example) -> None:
    auction = state_after(example, 2)
    good = decode_join(decode(example.entries[2]).body)
    ann = decode_join(decode(example.entries[1]).body)
    now_ns = good.placed_at_ns
    late_ns = auction.start_deadline_ns
    join = replace(good, house=bytes(32), bidder=auction.terms.seller, nonce=ann.nonce, not_after_ns=0)
    steps: list[tuple[Join, int]] = [(join, late_ns)]
    steps.append((replace(join, house=good.house), late_ns))
    steps.append((steps[-1][0], now_ns))
    steps.append((replace(steps[-1][0], bidder=ann.bidder), now_ns))
    codes = [refusal.code for step, at_ns in steps if (refusal := auction.decide_join(step, at_ns))]
    auction.present.discard(ann.bidder)
    for last in (
        steps[-1][0],
        replace(steps[-1][0], nonce=bytes(16)),
        replace(steps[-1][0], nonce=bytes(16), not_after_ns=now_ns + auction.terms.rules.bid_timeout_ns + 1),
        replace(good, bidder=ann.bidder, nonce=bytes(16), reputation_ppm=1),
    ):
        refusal = auction.decide_join(last, now_ns)
        assert refusal is not None
        codes.append(refusal.code)
    auction.terms = replace(auction.terms, rules=replace(auction.terms.rules, min_reputation_ppm=2))
    refusal = auction.decide_join(replace(good, bidder=ann.bidder, nonce=bytes(16), reputation_ppm=1), now_ns)
    assert refusal is not None
    codes.append(refusal.code)
    assert codes == [code for code, _ in JOIN_REFUSALS]
