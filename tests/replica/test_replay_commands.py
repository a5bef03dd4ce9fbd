"""Pauses, cancellations and settlements that a house forges are caught: each by its rule, at its entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.bid import decode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import Accept, AnyCommand, Capacity, Decline, Offer, Pay, decode_command
from auctionctl.auction.events import (
    Cancelled,
    DefaultCause,
    Gap,
    GapCause,
    Left,
    OfferLapsed,
    PauseCause,
    Paused,
    Resumed,
    Reverted,
    encode_event,
    kind_of,
)
from auctionctl.auction.rejection import Code
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.audit import Audit, audit
from auctionctl.tlog.entry import Entry, Kind

WAITING = "waiting until the bidder is back"
"""terms joined joined opened bid bid left paused joined resumed bid closed"""
OPERATED = "paused by an operator, and resumed"
"""terms joined joined opened bid bid paused resumed bid closed"""
SETTLED = "settled by the seller"
"""terms joined joined opened bid bid closed payment settled"""
PAID_AGAIN = "rejected, and paid again"
"""… closed payment payment_rejected payment payment_rejected payment settled"""
OFFERED = "offered, and bought"
"""terms joined joined opened joined bid bid bid closed defaulted offered accepted payment settled"""
LAPSED = "offered, and never answered"
"""… closed defaulted offered declined offered accepted defaulted reverted"""
LATE = "paid too late"
"""terms joined joined opened bid bid closed defaulted reverted"""
AWAY = "away for too long"
"""terms joined joined opened bid bid closed left defaulted reverted"""

NO_ID = b"?" * 32
Played = Callable[[str], Any]
Signed = Callable[..., Entry]


def key_of(name: str) -> SecretKey:
    return SecretKey(name.encode().ljust(32, b"."))


def caught(book: Any, rule: str, index: int) -> None:
    """A house that signs for ``book`` itself is caught, by this rule and at this entry."""
    with pytest.raises(VerificationError) as raised:
        audit(book.file(), book.house.identity)
    assert (raised.value.rule, raised.value.index) == (rule, index), str(raised.value)


def found(book: Any) -> Audit:
    return audit(book.file(), book.house.identity)


def command_in(book: Any, index: int) -> AnyCommand:
    return decode_command(book.entry(index).body)


def resigned(book: Any, index: int, name: str, **changes: Any) -> Any:
    """The command at ``index`` with other fields, truly signed by ``name``."""
    fields = {"actor": key_of(name).identity.signing} | changes
    return book.resigned(index, key_of(name), replace(command_in(book, index), **fields))


def said(book: Any, index: int, event: Any, later_ns: int = 0) -> Any:
    """The house claims ``event`` before entry ``index``, at the time of the entry below it or later."""
    time_ns = book.entry(index - 1).time_ns + later_ns
    return book.inserted(index, Entry(Kind(kind_of(event)), time_ns, encode_event(event)))


def later(book: Any, index: int, by_ns: int) -> Any:
    return book.changed(index, time_ns=book.entry(index).time_ns + by_ns)


@pytest.mark.parametrize("name", [WAITING, OPERATED, SETTLED, PAID_AGAIN, OFFERED, LAPSED, LATE, AWAY])
def test_the_plays_are_in_order_until_something_is_forged(played: Played, plays: Any, name: str) -> None:
    book = played(name)
    assert " ".join(book.kinds()[4:]) == (plays.PAUSES | plays.SALES)[name].kinds
    assert found(book).auction.is_final
    assert book.changed(6, time_ns=book.entry(6).time_ns) == book


# Who says it


@pytest.mark.parametrize(("name", "kind"), [(OPERATED, "paused"), (OPERATED, "resumed"), (SETTLED, "payment")])
def test_a_command_under_anothers_signature_is_caught(played: Played, name: str, kind: str) -> None:
    book = played(name)
    index = book.index_of(kind)
    caught(book.changed(index, signature=bytes(64)), "signature", index)
    message = command_in(book, index)
    entry = Entry(Kind(kind), book.entry(index).time_ns, book.entry(index).body, key_of("house").sign(b"other"))
    caught(book.cut(index).inserted(index, entry), "signature", index)
    caught(book.resigned(index, key_of("dora"), message), "signature", index)


@pytest.mark.parametrize("kind", ["paused", "resumed"])
def test_without_a_signature_it_is_the_houses_word_which_has_another_form(played: Played, kind: str) -> None:
    book = played(OPERATED)
    index = book.index_of(kind)
    caught(book.changed(index, signature=b""), "entry", index)
    event = Paused(PauseCause.TERMS) if kind == "paused" else Resumed(PauseCause.TERMS)
    caught(book.changed(index, signature=b"", body=encode_event(event)), kind, index)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(SETTLED, "payment"), (SETTLED, "settled"), (PAID_AGAIN, "payment_rejected"), (OFFERED, "offered")],
)
def test_what_a_participant_has_to_sign_the_house_cannot_say(played: Played, name: str, kind: str) -> None:
    book = played(name)
    index = book.index_of(kind)
    caught(book.changed(index, signature=b""), "signature", index)


def test_what_the_house_says_carries_no_signature(played: Played) -> None:
    for name, kind in ((WAITING, "paused"), (WAITING, "resumed"), (LAPSED, "declined")):
        book = played(name)
        index = book.index_of(kind)
        caught(book.changed(index, signature=bytes(64)), "entry", index)
    for name, kind in ((LATE, "defaulted"), (LATE, "reverted"), (AWAY, "left")):
        book = played(name)
        index = book.index_of(kind)
        caught(book.changed(index, signature=bytes(64)), "signature", index)


# What it is about


def test_a_command_in_an_entry_of_another_kind_is_caught(played: Played, signed: Signed) -> None:
    book = played(OPERATED)
    index = book.index_of("paused")
    pause = command_in(book, index)
    resume = command_in(book, index + 1)
    entry = signed(Kind.PAUSED, book.entry(index).time_ns, key_of("otto"), resume)
    caught(book.cut(index).inserted(index, entry), "entry", index)
    entry = signed(Kind.RESUMED, book.entry(index).time_ns, key_of("otto"), pause)
    caught(book.cut(index + 1).inserted(index + 1, entry), "entry", index + 1)
    book = played(SETTLED)
    index = book.index_of("payment")
    entry = signed(Kind.PAYMENT, book.entry(index).time_ns, key_of("sue"), command_in(book, index + 1))
    caught(book.cut(index).inserted(index, entry), "entry", index)


@pytest.mark.parametrize(("name", "kind", "who"), [(OPERATED, "paused", "otto"), (SETTLED, "payment", "ben")])
def test_a_command_about_another_auction_or_house_is_caught(played: Played, name: str, kind: str, who: str) -> None:
    book = played(name)
    index = book.index_of(kind)
    caught(resigned(book, index, who, auction=NO_ID), "wrong_auction", index)
    caught(resigned(book, index, who, house=NO_ID), Code.WRONG_HOUSE, index)
    caught(resigned(book, index, who, not_after_ns=book.entry(index).time_ns - 1), Code.EXPIRED, index)
    far_ns = book.entry(index).time_ns + 300 * SECOND_NS + 1
    caught(resigned(book, index, who, not_after_ns=far_ns), Code.NOT_AFTER_TOO_FAR, index)


def test_the_same_bytes_twice_are_caught(played: Played) -> None:
    book = played(OPERATED)
    index = book.index_of("resumed")
    again = replace(book.entry(index - 1), time_ns=book.entry(index).time_ns)
    caught(book.inserted(index + 1, again), Code.COMMAND_REPEATED, index + 1)


# Pauses


def test_a_pause_that_the_terms_ask_for_is_not_left_out_late_or_made_up(played: Played) -> None:
    book = played(WAITING)
    index = book.index_of("paused")
    caught(book.without(index), "paused", index)
    caught(later(book, index, 1), "paused", index)
    caught(book.reworded(index, cause=PauseCause.CAP), "paused", index)
    caught(book.without(index - 1), "paused", index - 1)
    caught(said(book, index - 1, Paused(PauseCause.TERMS)), "paused", index - 1)


def test_a_pause_that_is_over_is_not_drawn_out_and_one_that_is_not_over_is_not_cut_short(played: Played) -> None:
    book = played(WAITING)
    index = book.index_of("resumed")
    caught(book.without(index), "phase", index)
    now_ns = book.entry(index - 1).time_ns
    caught(said(book, index, Gap(now_ns, now_ns, GapCause.STALLED)), "resumed", index)
    caught(later(book, index, 1), "resumed", index)
    caught(book.reworded(index, cause=PauseCause.CAP), "resumed", index)
    caught(book.without(index - 1), "resumed", index - 1)
    for cause in PauseCause:
        caught(said(book, index - 1, Resumed(cause)), "resumed", index - 1)
        caught(said(book, index - 1, Resumed(cause), 20 * SECOND_NS - 1), "resumed", index - 1)


def test_once_a_pause_has_reached_its_cap_nothing_comes_before_its_end(played: Played) -> None:
    book = played(WAITING)
    index = book.index_of("joined", 2)
    cut, cap_ns = book.cut(index), book.entry(index - 1).time_ns + 20 * SECOND_NS
    ben = key_of("ben")
    message = replace(decode_join(book.entry(index).body), not_after_ns=cap_ns + SECOND_NS)
    late = cut.inserted(index, replace(book.entry(index), time_ns=cap_ns)).resigned(index, ben, message)
    caught(late, Code.CLOSED, index)
    ann = key_of("ann").identity.signing
    caught(said(cut, index, Left(ann), 20 * SECOND_NS), "left", index)
    assert found(said(cut, index, Left(ann), 20 * SECOND_NS - 1)).auction.pauses.end_by_ns() > cap_ns
    assert found(said(cut, index, Resumed(PauseCause.CAP), 20 * SECOND_NS)).auction.phase == "open"


def test_an_operator_does_not_end_what_the_terms_have_stand_still(played: Played, signed: Signed) -> None:
    book, operated = played(WAITING), played(OPERATED)
    index = book.index_of("paused") + 1
    time_ns = book.entry(index - 1).time_ns
    resume = command_in(operated, operated.index_of("resumed"))
    message = replace(resume, auction=book.auction, not_after_ns=time_ns + SECOND_NS)
    entry = signed(Kind.RESUMED, time_ns, key_of("otto"), message)
    caught(book.cut(index).inserted(index, entry), Code.PAUSED_BY_TERMS, index)


def test_an_operator_acts_within_the_caps_and_before_the_end_only(played: Played, signed: Signed) -> None:
    book = played("paused by operators as often as may be")
    index = book.index_of("closed")
    pause = command_in(book, book.index_of("paused"))
    for time_ns, code in (
        (book.entry(index - 1).time_ns, Code.PAUSES_USED_UP),
        (book.entry(index).time_ns, Code.CLOSED),
    ):
        message = replace(pause, nonce=b"n" * 16, not_after_ns=time_ns)
        entry = signed(Kind.PAUSED, time_ns, key_of("otto"), message)
        caught(book.cut(index).inserted(index, entry), code, index)


def test_the_house_does_not_resume_for_an_operator(played: Played) -> None:
    book = played(OPERATED)
    index = book.index_of("resumed")
    for cause in PauseCause:
        caught(said(book, index, Resumed(cause)), "resumed", index)


def test_what_has_bids_is_not_called_off(played: Played, signed: Signed) -> None:
    book = played(SETTLED)
    index = book.index_of("closed")
    time_ns = book.entry(index - 1).time_ns
    called_off = played("called off before a bid")
    cancel = command_in(called_off, called_off.index_of("cancelled"))
    message = replace(cancel, auction=book.auction, not_after_ns=time_ns)
    entry = signed(Kind.CANCELLED, time_ns, key_of("otto"), message)
    caught(book.cut(index).inserted(index, entry), Code.HAS_BIDS, index)
    for reason in ("min_bidders", "operator"):
        caught(said(book.cut(index), index, Cancelled(reason)), "cancelled", index)


# Payment


def test_nobody_pays_for_anothers_win_or_another_amount(played: Played) -> None:
    book = played(SETTLED)
    index = book.index_of("payment")
    pay = command_in(book, index)
    assert isinstance(pay, Pay)
    caught(resigned(book, index, "ann"), Code.NOT_THE_WINNER, index)
    caught(resigned(book, index, "ben", amount_minor=pay.amount_minor - 1), Code.WRONG_AMOUNT, index)
    caught(resigned(book, index, "ben", currency="USD"), Code.WRONG_AMOUNT, index)


def test_a_payment_that_is_overdue_is_a_default_and_no_payment(played: Played) -> None:
    book = played(SETTLED)
    index = book.index_of("payment")
    due_ns = book.entry(index - 1).time_ns + 100 * SECOND_NS
    late = book.cut(index + 1).changed(index, time_ns=due_ns)
    caught(resigned(late, index, "ben", not_after_ns=due_ns + SECOND_NS), Code.DEFAULTED, index)
    early = book.cut(index + 1).changed(index, time_ns=due_ns - 1)
    assert found(resigned(early, index, "ben", not_after_ns=due_ns)).auction.settlement is not None


@pytest.mark.parametrize("kind", ["settled", "payment_rejected"])
def test_only_the_payment_that_was_reported_is_settled_or_rejected(played: Played, kind: str) -> None:
    book = played(PAID_AGAIN)
    index = book.index_of(kind)
    caught(resigned(book, index, "otto", payment=NO_ID, capacity=Capacity.OPERATOR), Code.WRONG_PAYMENT, index)
    caught(resigned(book, index, "ben", capacity=Capacity.SELLER), Code.NOT_THE_SELLER, index)
    caught(book.without(index - 1), "phase", index - 1)


def test_a_rejection_stops_nothing_but_the_payment_that_it_names(played: Played) -> None:
    book = played(PAID_AGAIN)
    second = book.index_of("payment_rejected", 1)
    first_payment = command_id(book.entry(book.index_of("payment")).body)
    message = replace(command_in(book, second), payment=first_payment)
    caught(book.resigned(second, key_of("otto"), message), Code.WRONG_PAYMENT, second)


# Default


def test_nobody_defaults_before_its_time_or_for_another_reason(played: Played) -> None:
    book = played(LATE)
    index = book.index_of("defaulted")
    caught(later(book, index, -1), "defaulted", index)
    caught(book.reworded(index, cause=DefaultCause.ABSENT), "defaulted", index)
    caught(book.reworded(index, bidder=key_of("ann").identity.signing), "defaulted", index)
    away = played(AWAY)
    index = away.index_of("defaulted")
    caught(later(away, index, -1), "defaulted", index)
    caught(away.reworded(index, cause=DefaultCause.LATE), "defaulted", index)
    caught(away.without(index - 1), "defaulted", index - 1)


def test_after_the_close_only_the_debtor_leaves(played: Played) -> None:
    book = played(AWAY)
    index = book.index_of("left")
    caught(book.reworded(index, bidder=key_of("ann").identity.signing), "left", index)
    plain = played(LATE)
    index = plain.index_of("closed") + 1
    caught(said(plain, index, Left(key_of("ben").identity.signing)), "left", index)


def test_a_sale_is_undone_when_nobody_else_can_buy_it_and_not_before(played: Played) -> None:
    book = played(LATE)
    index = book.index_of("reverted")
    caught(later(book, index, 1), "reverted", index)
    caught(said(book, index, Gap(*[book.entry(index - 1).time_ns] * 2, GapCause.STALLED)), "reverted", index)
    lapsed = played(LAPSED)
    index = lapsed.index_of("offered")
    caught(said(lapsed, index, Reverted()), "reverted", index)
    caught(said(lapsed, index, Reverted(), 30 * SECOND_NS - 1), "reverted", index)
    assert found(said(lapsed.cut(index), index, Reverted(), 30 * SECOND_NS)).auction.is_final


# Offers


def test_an_offer_is_the_sellers_and_to_the_next_bidder_at_its_own_bid(played: Played) -> None:
    book = played(OFFERED)
    index = book.index_of("offered")
    offer = command_in(book, index)
    assert isinstance(offer, Offer)
    cleo = key_of("cleo").identity.signing
    assert (offer.bidder, offer.amount_minor) == (key_of("ann").identity.signing, 1_200)
    caught(resigned(book, index, "otto"), Code.NOT_THE_SELLER, index)
    caught(resigned(book, index, "sue", bidder=cleo, amount_minor=1_000, bid_index=5), Code.NOT_NEXT_BIDDER, index)
    caught(resigned(book, index, "sue", amount_minor=1_199), Code.NOT_NEXT_BIDDER, index)
    caught(resigned(book, index, "sue", amount_minor=1_500), Code.NOT_NEXT_BIDDER, index)
    caught(resigned(book, index, "sue", bid_index=offer.bid_index + 1), Code.NOT_NEXT_BIDDER, index)
    caught(resigned(book, index, "sue", currency="USD"), Code.NOT_NEXT_BIDDER, index)


def test_an_offer_or_its_answer_that_comes_too_late_is_caught(played: Played) -> None:
    book = played(OFFERED)
    for index, who, code in (
        (book.index_of("offered"), "sue", Code.REVERTED),
        (book.index_of("accepted"), "ann", Code.NO_OFFER),
    ):
        by_ns = book.entry(index - 1).time_ns + 30 * SECOND_NS
        late = book.cut(index + 1).changed(index, time_ns=by_ns)
        caught(resigned(late, index, who, not_after_ns=by_ns), code, index)


def test_only_whom_it_was_made_to_answers_an_offer_and_only_that_one(played: Played) -> None:
    book = played(OFFERED)
    index = book.index_of("accepted")
    caught(resigned(book, index, "cleo"), Code.NOT_OFFERED, index)
    caught(resigned(book, index, "ann", offer=NO_ID), Code.WRONG_OFFER, index)
    accept = command_in(book, index)
    assert isinstance(accept, Accept)
    decline = Decline(*(getattr(accept, name) for name in accept.__struct_fields__))
    caught(book.resigned(index, key_of("ann"), decline), "entry", index)


def test_an_offer_lapses_when_its_time_is_over_and_not_before(played: Played) -> None:
    book = played(LAPSED)
    index = book.index_of("declined")
    caught(later(book, index, -1), "declined", index)
    caught(book.reworded(index, offer=NO_ID), "declined", index)
    offered = played(OFFERED)
    index = offered.index_of("accepted")
    offer = command_id(offered.entry(index - 1).body)
    caught(said(offered, index, OfferLapsed(offer)), "declined", index)


def test_a_defaulter_is_never_offered_the_lot_again(played: Played, signed: Signed) -> None:
    book = played(LAPSED)
    index = book.index_of("offered")
    sale = found(book).auction
    assert sale.standing is not None
    message = replace(
        command_in(book, index),
        bidder=sale.standing.leader,
        amount_minor=sale.standing.price_minor,
        bid_index=sale.standing.bid_index,
    )
    entry = signed(Kind.OFFERED, book.entry(index).time_ns, key_of("sue"), message)
    caught(book.cut(index).inserted(index, entry), Code.NOT_NEXT_BIDDER, index)


# What the tables refuse first


@pytest.mark.parametrize("kind", ["bid", "paused", "resumed", "cancelled", "closed", "opened", "announced", "terms"])
def test_of_bidding_nothing_follows_a_close(played: Played, kind: str) -> None:
    book = played(SETTLED)
    index = book.index_of("closed") + 1
    entry = Entry(Kind(kind), book.entry(index).time_ns, book.entry(5).body, book.entry(5).signature)
    caught(book.inserted(index, entry), "phase", index)


def test_nothing_follows_the_end_of_a_settlement(played: Played) -> None:
    for name in (SETTLED, LATE, OFFERED):
        book = played(name)
        end = len(book.entries)
        for index in range(1, end):
            again = replace(book.entry(index), time_ns=book.entry(end - 1).time_ns)
            caught(book.inserted(end, again), "phase", end)
