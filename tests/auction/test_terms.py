"""Terms have one byte form, every field of it within bounds; a reserve, once committed, cannot be moved."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rules import Cancellation, Disconnection, OnDefault, PauseRules, PaymentRules
from auctionctl.auction.terms import (
    MAX_TERMS_BYTES,
    Lot,
    Reserve,
    Rules,
    Terms,
    auction_id,
    check_terms,
    decode_terms,
    encode_terms,
)
from auctionctl.errors import TermsError

SECOND_NS = 1_000_000_000
YEAR_NS = 366 * 86_400 * SECOND_NS
SALT = bytes(range(32))
INCREMENTS = {"fixed": Fixed, "percent": Percent, "table": lambda rows: Table(tuple(tuple(row) for row in rows))}

TERMS = Terms(
    b"\x11" * 32,
    b"\x22" * 32,
    bytes(range(16)),
    "2026.lot-7_b",
    Lot("Étude, oil on canvas", "Signed and dated.", 25_000),
    Rules(
        format="english",
        currency="EUR",
        starting_price_minor=10_000,
        increment=Fixed(100),
        duration_ns=300 * SECOND_NS,
        start_timeout_ns=3_600 * SECOND_NS,
        min_bidders=3,
        bid_timeout_ns=30 * SECOND_NS,
        soft_close_window_ns=60 * SECOND_NS,
        max_extension_ns=600 * SECOND_NS,
        reserve=Reserve(b"\x33" * 32, b"\x44" * 80),
        pauses=PauseRules(Disconnection.PAUSE, 7, 900 * SECOND_NS, 3, 90 * SECOND_NS),
        payment=PaymentRules(86_400 * SECOND_NS, 600 * SECOND_NS, OnDefault.OFFER, 3_600 * SECOND_NS),
        cancellation=Cancellation.BEFORE_CLOSE,
        min_reputation_ppm=400_000,
    ),
)
TERMS_HEX = (
    "97" + "a57465726d73" + "c420" + "11" * 32 + "c420" + "22" * 32 + "c410000102030405060708090a0b0c0d0e0f"
    "ac323032362e6c6f742d375f62"
    "93" + "b5c38974756465" + "2c206f696c206f6e2063616e766173" + "b15369676e656420616e642064617465642e" + "cd61a8"
    "9f" + "a7656e676c697368" + "a3455552" + "cd2710" + "92a5666978656464"
    "cf00000045d964b800"
    + "cf0000034630b8a000"
    + "03"
    + "cf00000006fc23ac00"
    + "cf0000000df8475800"
    + "cf0000008bb2c97000"
    "92" + "c420" + "33" * 32 + "c450" + "44" * 80 + "95"
    "a57061757365" + "07" + "cf000000d18c2e2800" + "03" + "cf00000014f46b0400"
    "94" + "cf00004e94914f0000" + "cf0000008bb2c97000" + "a56f66666572" + "cf0000034630b8a000"
    "ac6265666f72655f636c6f7365" + "ce00061a80"
)

FIELDS = {
    "house": (1,),
    "seller": (2,),
    "nonce": (3,),
    "listing": (4,),
    "title": (5, 0),
    "description": (5, 1),
    "estimate": (5, 2),
    "format": (6, 0),
    "currency": (6, 1),
    "starting_price": (6, 2),
    "increment": (6, 3),
    "duration": (6, 4),
    "start_timeout": (6, 5),
    "min_bidders": (6, 6),
    "bid_timeout": (6, 7),
    "soft_close_window": (6, 8),
    "max_extension": (6, 9),
    "reserve": (6, 10),
    "pauses": (6, 11),
    "disconnection": (6, 11, 0),
    "max_pauses": (6, 11, 1),
    "max_pause": (6, 11, 2),
    "max_pauses_a_bidder": (6, 11, 3),
    "max_pause_a_bidder": (6, 11, 4),
    "payment": (6, 12),
    "payment_timeout": (6, 12, 0),
    "absence_timeout": (6, 12, 1),
    "on_default": (6, 12, 2),
    "offer_timeout": (6, 12, 3),
    "cancellation": (6, 13),
    "min_reputation": (6, 14),
}


def with_field(value: Any, *path: int) -> bytes:
    """The bytes of TERMS with another value in one place, whatever it is: written without the package's encoder."""
    document = msgspec.msgpack.decode(bytes.fromhex(TERMS_HEX))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return msgspec.msgpack.encode(document)


def test_the_bytes_of_terms_are_these() -> None:
    assert encode_terms(TERMS).hex() == TERMS_HEX
    assert decode_terms(bytes.fromhex(TERMS_HEX)) == TERMS


def test_every_vector_of_terms_reads_writes_and_hashes_as_published(vectors: dict[str, Any]) -> None:
    assert len(vectors["terms"]) >= 3
    for vector in vectors["terms"]:
        body = bytes.fromhex(vector["bytes"])
        _, house, seller, nonce, listing, lot, (*rules, reserve, pauses, payment, called_off, ppm) = vector["fields"]
        tag, value = rules[3]
        rules[3] = INCREMENTS[tag](value)
        reserve = None if reserve is None else Reserve(*reserve)
        pauses[0], payment[2] = Disconnection(pauses[0]), OnDefault(payment[2])
        following = (PauseRules(*pauses), PaymentRules(*payment), Cancellation(called_off), ppm)
        terms = Terms(house, seller, nonce, listing, Lot(*lot), Rules(*rules, reserve, *following))
        assert encode_terms(terms) == body, vector["name"]
        assert decode_terms(body) == terms, vector["name"]
        assert auction_id(body).hex() == vector["id"], vector["name"]


def test_an_auction_is_named_by_the_hash_of_its_terms() -> None:
    body = bytes.fromhex(TERMS_HEX)
    assert auction_id(body) == hashlib.sha256(body).digest()


ACCEPTED = [
    *[("listing", value) for value in ("a", "0", "a" * 64, "a.b_c-d", "9" + "._-" * 21)],
    *[("title", value) for value in ("x", "x" * 200, "é" * 200, "日" * 200)],
    *[("description", value) for value in ("", "x" * 4_000, "日\n" * 2_000)],
    *[("estimate", value) for value in (None, 0, MAX_MINOR)],
    *[("currency", value) for value in ("EUR", "JPY", "BHD", "XCG", "credits", "a" * 16)],
    *[("starting_price", value) for value in (0, 1, MAX_MINOR)],
    *[("increment", value) for value in (["fixed", 1], ["percent", 100_000], ["table", [[0, 1], [1, 2]]])],
    *[("duration", value) for value in (60 * SECOND_NS, YEAR_NS)],
    *[("start_timeout", value) for value in (1, YEAR_NS)],
    *[("min_bidders", value) for value in (1, 10_000)],
    *[("bid_timeout", value) for value in (SECOND_NS // 10, 3_600 * SECOND_NS)],
    *[("soft_close_window", value) for value in (1, 300 * SECOND_NS)],
    *[("max_extension", value) for value in (1, YEAR_NS)],
    *[("reserve", value) for value in (None, [bytes(32), b"\0"], [bytes(32), bytes(512)])],
    ("pauses", ["continue", 0, 0, 0, 0]),
    *[("disconnection", value) for value in ("continue", "pause_below_min_bidders", "pause")],
    *[(name, value) for name in ("max_pauses", "max_pauses_a_bidder") for value in (0, 1_000)],
    *[(name, value) for name in ("max_pause", "max_pause_a_bidder") for value in (0, YEAR_NS)],
    *[("payment", value) for value in ([0, 0, "revert", 0], [1, 0, "revert", 0], [1, 1, "offer", 1])],
    *[("payment_timeout", value) for value in (1, YEAR_NS)],
    *[("absence_timeout", value) for value in (0, YEAR_NS)],
    ("on_default", "offer"),
    *[("offer_timeout", value) for value in (1, YEAR_NS)],
    *[("cancellation", value) for value in ("before_first_bid", "before_close")],
    *[("min_reputation", value) for value in (0, 1, 1_000_000)],
]
NO_KEYS = [b"", bytes(31), bytes(33), "1" * 32, None, 1]
NO_AMOUNTS = [-1, MAX_MINOR + 1, 2**64 - 1, 1.0, True, "1", [1]]
REFUSED = [
    *[(name, value) for name in ("house", "seller") for value in NO_KEYS],
    *[("nonce", value) for value in (b"", bytes(15), bytes(17), None)],
    *[("listing", value) for value in ("", "A", "-a", ".a", "_a", "a" * 65, "a b", "a/b", "é", "a\n", "\u0661", None)],
    *[("title", value) for value in ("", "x" * 201, "日" * 201, None, b"x")],
    *[("description", value) for value in ("x" * 4_001, None)],
    *[("estimate", value) for value in NO_AMOUNTS],
    *[("format", value) for value in ("", "English", "dutch", "vickrey", "english\n", None)],
    *[("currency", value) for value in ("", "a" * 17, "XXX", "Eur", "eur", "e5", "ANG", "EUR\n", "EURO", None)],
    *[("starting_price", value) for value in (*NO_AMOUNTS, None)],
    *[("increment", ["fixed", value]) for value in (*NO_AMOUNTS, 0, None)],
    *[("increment", ["percent", value]) for value in (0, -1, 100_001, None)],
    *[
        ("increment", ["table", value])
        for value in ([], [[1, 1]], [[0, 0]], [[0, 1], [0, 2]], [[0, 1, 2]], [[0]], None)
    ],
    *[("increment", value) for value in (None, 100, ["random", 1], ["fixed"], ["fixed", 1, 1], {"fixed": 1})],
    *[("duration", value) for value in (0, -1, 60 * SECOND_NS - 1, YEAR_NS + 1, 2**63, None)],
    *[("start_timeout", value) for value in (0, -1, YEAR_NS + 1, 2**63, None)],
    *[("min_bidders", value) for value in (0, -1, 10_001, 1.0, None)],
    *[("bid_timeout", value) for value in (0, SECOND_NS // 10 - 1, 3_600 * SECOND_NS + 1, None)],
    *[("soft_close_window", value) for value in (0, -1, 300 * SECOND_NS + 1, None)],
    *[("max_extension", value) for value in (0, -1, YEAR_NS + 1, None)],
    *[("reserve", value) for value in ([], [bytes(31), b"\0"], [bytes(33), b"\0"], [bytes(32), b""], [bytes(32)])],
    *[("reserve", value) for value in ([bytes(32), bytes(513)], [bytes(32), b"\0", 1], bytes(32))],
    *[("pauses", value) for value in (None, [], ["continue", 0, 0, 0], ["continue", 0, 0, 0, 0, 0], {"max_pauses": 0})],
    *[("disconnection", value) for value in ("", "Continue", "stop", None, 0)],
    *[(name, value) for name in ("max_pauses", "max_pauses_a_bidder") for value in (-1, 1_001, 1.0, None)],
    *[(name, value) for name in ("max_pause", "max_pause_a_bidder") for value in (-1, YEAR_NS + 1, 2**63, None)],
    *[("payment", value) for value in (None, [], [1, 0, "revert"], [1, 0, "revert", 0, 0], [0, 1, "revert", 0])],
    *[("payment", value) for value in ([0, 0, "offer", 1], [0, 0, "revert", 1], [1, 0, "revert", 1])],
    *[("payment_timeout", value) for value in (0, -1, YEAR_NS + 1, 2**63, None)],
    *[("absence_timeout", value) for value in (-1, YEAR_NS + 1, None)],
    *[("on_default", value) for value in ("revert", "Offer", "resell", None)],
    *[("offer_timeout", value) for value in (0, -1, YEAR_NS + 1, None)],
    *[("cancellation", value) for value in ("", "Before_close", "never", None, 1)],
    *[("min_reputation", value) for value in (-1, 1_000_001, 0.5, "40%", True, None)],
]


@pytest.mark.parametrize(("field", "value"), ACCEPTED)
def test_the_outermost_value_of_every_field_is_accepted(field: str, value: object) -> None:
    body = with_field(value, *FIELDS[field])
    assert encode_terms(decode_terms(body)) == body


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_a_value_out_of_bounds_is_refused_in_every_field(field: str, value: object) -> None:
    with pytest.raises(TermsError):
        decode_terms(with_field(value, *FIELDS[field]))


def test_every_field_has_its_bounds_tested() -> None:
    assert {field for field, _ in REFUSED} == set(FIELDS)
    assert {field for field, _ in ACCEPTED} == set(FIELDS) - {"house", "seller", "nonce", "format"}


FOLLOWING_TOO_LONG = "the time for a payment, an absence or an offer must be at most 366 days"
FOLLOWING_NOTHING = "absence and offers matter only where a payment is waited for"
TOO_LONG: list[dict[str, Any]] = [
    {"payment_ns": YEAR_NS + 1},
    {"payment_ns": 1, "absence_ns": YEAR_NS + 1},
    {"payment_ns": 1, "on_default": OnDefault.OFFER, "offer_ns": YEAR_NS + 1},
]
WITHOUT_PAYMENT: list[dict[str, Any]] = [
    {"absence_ns": 1},
    {"offer_ns": 1},
    {"on_default": OnDefault.OFFER},
    {"on_default": OnDefault.OFFER, "offer_ns": 1},
]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "dutch"}, "unknown format 'dutch'"),
        ({"currency": "XXX"}, "unknown currency 'XXX'"),
        ({"increment": Fixed(0)}, "the increment must be at least one minor unit"),
        ({"duration_ns": 0}, "the duration must be more than 0 and at most 366 days"),
        ({"start_timeout_ns": 0}, "the start timeout must be more than 0 and at most 366 days"),
        ({"bid_timeout_ns": 0}, "the bid timeout must be between 100 ms and 1 h"),
        ({"soft_close_window_ns": 301 * SECOND_NS}, "the soft-close window is longer than the auction"),
        ({"max_extension_ns": YEAR_NS + 1}, "the longest extension must be at most 366 days"),
        ({"max_extension_ns": 0}, "a soft close needs both a window and a longest extension"),
        ({"soft_close_window_ns": 0}, "a soft close needs both a window and a longest extension"),
        ({"pauses": PauseRules(max_pause_ns=YEAR_NS + 1)}, "the longest pause must be at most 366 days"),
        ({"pauses": PauseRules(max_pause_a_bidder_ns=YEAR_NS + 1)}, "the longest pause must be at most 366 days"),
        *[({"payment": PaymentRules(**late)}, FOLLOWING_TOO_LONG) for late in TOO_LONG],
        *[({"payment": PaymentRules(**unpaid)}, FOLLOWING_NOTHING) for unpaid in WITHOUT_PAYMENT],
        ({"payment": PaymentRules(1, 0, OnDefault.OFFER, 0)}, "a second offer needs a time to answer it"),
        ({"payment": PaymentRules(1, 0, OnDefault.REVERT, 1)}, "a second offer needs a time to answer it"),
    ],
)
def test_terms_under_which_no_auction_can_be_held_are_never_signed(changes: dict[str, Any], message: str) -> None:
    terms = replace(TERMS, rules=replace(TERMS.rules, **changes))
    for judge in (check_terms, encode_terms):
        with pytest.raises(TermsError, match=f"^{message}$"):
            judge(terms)


OUT_OF_BOUNDS = [
    *[{"house": b"x"}, {"seller": b""}, {"seller": bytes(33)}, {"nonce": b""}, {"nonce": bytes(17)}],
    *[{"lot": Lot(title)} for title in ("", "x" * 201, "\ud800")],
    *[{"lot": Lot("x", text)} for text in ("x" * 4_001, "\ud800")],
    *[{"lot": Lot("x", "", estimate_minor)} for estimate_minor in (-1, MAX_MINOR + 1, 2**64)],
]
RULES_OUT_OF_BOUNDS = [
    *[{"starting_price_minor": minor} for minor in (-1, MAX_MINOR + 1, 2**64, -(2**63) - 1)],
    *[{"min_bidders": bidders} for bidders in (0, 10_001, 2**64)],
    {"soft_close_window_ns": -1, "max_extension_ns": -1},
    *[{"reserve": Reserve(*reserve)} for reserve in ((b"", b""), (bytes(32), b""), (bytes(32), bytes(513)))],
    *[{"pauses": PauseRules(max_pauses=pauses)} for pauses in (-1, 1_001, 2**64)],
    *[{"pauses": PauseRules(max_pauses_a_bidder=pauses)} for pauses in (-1, 1_001)],
    *[{"pauses": PauseRules(**{name: -1})} for name in ("max_pause_ns", "max_pause_a_bidder_ns")],
    *[{"payment": PaymentRules(1, absence_ns)} for absence_ns in (-1, -(2**63) - 1)],
    {"payment": PaymentRules(-1)},
]


@pytest.mark.parametrize("changes", [*OUT_OF_BOUNDS, *[{"rules": rules} for rules in RULES_OUT_OF_BOUNDS]])
def test_terms_that_nobody_could_read_are_never_signed(changes: dict[str, Any]) -> None:
    if "rules" in changes:
        changes = {"rules": replace(TERMS.rules, **changes["rules"])}
    with pytest.raises(TermsError):
        encode_terms(replace(TERMS, **changes))


INTEGERS = st.sampled_from([-1, 0, 1, 2, 10_000, SECOND_NS, 60 * SECOND_NS, MAX_MINOR, MAX_MINOR + 1, 2**63, 2**64])
KEYS = st.sampled_from([bytes(32)] * 6 + [bytes(31), bytes(33)])
TITLES = st.text(min_size=1, max_size=8) | st.sampled_from(["", "\ud800", "x" * 200, "x" * 201])
ANY_TERMS = st.builds(
    lambda house, seller, nonce, listing, lot, rules: replace(
        TERMS,
        **{"house": house, "seller": seller, "nonce": nonce, "listing": listing, "lot": lot},
        rules=replace(TERMS.rules, **rules),
    ),
    KEYS,
    KEYS,
    st.sampled_from([bytes(16)] * 6 + [bytes(15)]),
    st.sampled_from(["lot-7"] * 6 + ["", "Lot 7", "\ud800"]),
    st.builds(Lot, TITLES, st.text(max_size=8), st.none() | INTEGERS),
    st.fixed_dictionaries(
        {},
        optional={
            "currency": st.sampled_from(["EUR", "credits", "eur", "e5", "\ud800"]),
            "starting_price_minor": INTEGERS,
            "increment": st.builds(Fixed, INTEGERS) | st.builds(Percent, INTEGERS),
            "min_bidders": INTEGERS,
            "bid_timeout_ns": INTEGERS,
        },
    ),
)


@given(ANY_TERMS)
def test_what_the_seller_can_sign_the_house_can_read(terms: Terms) -> None:
    try:
        body = encode_terms(terms)
    except TermsError:
        event("refused")
        return
    event("signed")
    assert decode_terms(body) == terms


def test_an_auction_without_soft_close_has_neither_window_nor_extension() -> None:
    check_terms(replace(TERMS, rules=replace(TERMS.rules, soft_close_window_ns=0, max_extension_ns=0)))


def test_a_refusal_says_what_to_write_instead() -> None:
    refused = {
        "listing": replace(TERMS, listing="Lot 7"),
        "known: english": replace(TERMS, rules=replace(TERMS.rules, format="dutch")),
        "ISO 4217": replace(TERMS, rules=replace(TERMS.rules, currency="XXX")),
        "soft_close": replace(TERMS, rules=replace(TERMS.rules, max_extension_ns=0)),
        "payment_timeout": replace(TERMS, rules=replace(TERMS.rules, payment=PaymentRules(0, 1))),
        "offer_timeout": replace(TERMS, rules=replace(TERMS.rules, payment=PaymentRules(1, 0, OnDefault.OFFER))),
    }
    for word, terms in refused.items():
        with pytest.raises(TermsError) as caught:
            check_terms(terms)
        assert word in f"{caught.value} {caught.value.hint}"
        assert caught.value.hint


def test_terms_of_the_largest_size_are_accepted_and_a_byte_more_is_refused() -> None:
    def described(title: str) -> Terms:
        return replace(TERMS, lot=Lot(title, "日" * 3_840))  # 11,520 bytes

    room = MAX_TERMS_BYTES - len(encode_terms(described("é" * 150)))
    short = "é" * 150
    assert 0 < room <= 50 * 4
    longest = short + "\N{GRINNING FACE}" * (room // 4) + "x" * (room % 4)
    body = encode_terms(described(longest))
    assert len(body) == MAX_TERMS_BYTES
    assert decode_terms(body).lot.title == longest
    with pytest.raises(TermsError, match="more than 12288") as caught:
        encode_terms(described(longest + "x"))
    assert caught.value.hint == "shorten the description"
    with pytest.raises(TermsError, match="more than 12288"):
        decode_terms(bytes(MAX_TERMS_BYTES + 1))


def longer_forms() -> dict[str, bytes]:
    body = bytes.fromhex(TERMS_HEX)
    document = msgspec.msgpack.decode(body)
    return {
        "a longer form of an integer": body.replace(b"\x92\xa5fixed\x64", b"\x92\xa5fixed\xcc\x64"),
        "a longer form of a string": body.replace(b"\xa3EUR", b"\xd9\x03EUR"),
        "a longer form of bytes": body.replace(b"\xc4\x10", b"\xc5\x00\x10"),
        "a longer form of the array": b"\xdc\x00\x07" + body[1:],
        "an element too many": msgspec.msgpack.encode([*document, None]),
        "an element too many in the rules": msgspec.msgpack.encode([*document[:-1], [*document[-1], None]]),
        "an element too many in the lot": with_field(["x", "", None, None], 5),
        "what follows the reserve left out": msgspec.msgpack.encode([*document[:-1], document[-1][:-4]]),
        "the least reputation left out": msgspec.msgpack.encode([*document[:-1], document[-1][:-1]]),
        "the estimate left out": with_field(["x", ""], 5),
        "a map for the lot": with_field({"title": "x"}, 5),
        "bytes for a string": body.replace(b"\xa3EUR", b"\xc4\x03EUR"),
        "a title that is not UTF-8": body.replace("É".encode(), b"\xc3\x28"),
        "a currency that is not UTF-8": body.replace(b"\xa3EUR", b"\xa3EU\xff"),
        "a tag that is not UTF-8": body.replace(b"\xa5terms", b"\xa5term\xff"),
        "a byte after the end": body + b"\0",
        "a byte missing at the end": body[:-1],
        "another tag": with_field("bid", 0),
        "nothing": b"",
        "nil": b"\xc0",
    }


@pytest.mark.parametrize("form", longer_forms())
def test_terms_in_any_other_form_are_refused(form: str) -> None:
    data = longer_forms()[form]
    assert data != bytes.fromhex(TERMS_HEX)
    with pytest.raises(TermsError, match=r"^not terms: "):
        decode_terms(data)


@pytest.mark.parametrize("depth", [100, 4_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    body = bytes.fromhex(TERMS_HEX)
    for data in (b"\x91" * depth, b"\x98" + body[1:] + b"\x91" * depth + b"\xc0", body[:1] + b"\x91" * depth + b"\xc0"):
        with pytest.raises(TermsError):
            decode_terms(data)


def read(data: bytes) -> Terms | None:
    try:
        return decode_terms(data)
    except TermsError:
        return None


def test_any_flipped_bit_is_refused_or_names_another_auction() -> None:
    body = bytes.fromhex(TERMS_HEX)
    refused = 0
    for at in range(len(body)):
        for bit in range(8):
            data = body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :]
            terms = read(data)
            if terms is None:
                refused += 1
                continue
            assert terms != TERMS
            assert encode_terms(terms) == data
            assert auction_id(data) != auction_id(body)
    assert 100 < refused < 8 * len(body)


def test_five_thousand_damaged_terms_are_refused_or_are_other_terms(vectors: dict[str, Any]) -> None:
    rng = random.Random(20_260_103)
    seeds = [bytes.fromhex(vector["bytes"]) for vector in vectors["terms"]]
    for _ in range(5_000):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 2)] = rng.randbytes(rng.randint(0, 2))
        terms = read(bytes(data))
        assert terms is None or encode_terms(terms) == data


def test_the_terms_of_every_scene_can_be_held(terms_with: Callable[..., Terms]) -> None:
    assert decode_terms(encode_terms(terms_with())) == terms_with()
