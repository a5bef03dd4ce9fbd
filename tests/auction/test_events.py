"""The house's own entries: one byte form each, pinned by the vectors, and no entry that holds another kind's event."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction.events import (
    Cancelled,
    Closed,
    DefaultCause,
    Defaulted,
    Gap,
    GapCause,
    HouseEvent,
    Left,
    OfferLapsed,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    Reverted,
    Takeover,
    decode_event,
    encode_event,
    kind_of,
)
from auctionctl.auction.phase import EndReason
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.terms import ReserveOpening
from auctionctl.errors import MalformedEntryError

KINDS: dict[str, type[HouseEvent]] = {
    "opened": Opened,
    "left": Left,
    "gap": Gap,
    "takeover": Takeover,
    "cancelled": Cancelled,
    "closed": Closed,
    "paused": Paused,
    "resumed": Resumed,
    "defaulted": Defaulted,
    "declined": OfferLapsed,
    "reverted": Reverted,
}
KEYS = st.binary(min_size=32, max_size=32)
MINORS = st.integers(0, MAX_MINOR)
TIMES = st.integers(0, 2**62)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)
EVENTS: st.SearchStrategy[HouseEvent] = st.one_of(
    st.just(Opened()),
    st.builds(Left, KEYS),
    st.builds(Gap, TIMES, TIMES, st.sampled_from(GapCause)),
    st.builds(Takeover, st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True), st.integers(1, 2**53)),
    st.builds(Cancelled, TEXTS),
    st.builds(
        Closed,
        TEXTS | st.sampled_from(EndReason),
        st.none() | KEYS,
        st.none() | MINORS,
        st.none() | st.integers(0, 2**63),
        st.none() | st.builds(ReserveOpening, MINORS, KEYS),
    ),
    st.builds(Paused, st.sampled_from(PauseCause)),
    st.builds(Resumed, st.sampled_from(PauseCause)),
    st.builds(Defaulted, KEYS, st.sampled_from(DefaultCause)),
    st.builds(OfferLapsed, KEYS),
    st.just(Reverted()),
)


def from_fields(kind: str, fields: list[Any]) -> HouseEvent:
    if kind == "closed" and fields[4] is not None:
        fields = [*fields[:4], ReserveOpening(*fields[4])]
    return KINDS[kind](*fields)


def test_every_vector_of_an_event_reads_and_writes_as_published(vectors: dict[str, Any]) -> None:
    assert {vector["kind"] for vector in vectors["house_events"]} == set(KINDS)
    for vector in vectors["house_events"]:
        event = from_fields(vector["kind"], vector["fields"][1:])
        assert encode_event(event).hex() == vector["bytes"]
        assert decode_event(vector["kind"], bytes.fromhex(vector["bytes"])) == event


@given(EVENTS)
def test_every_event_reads_back_as_itself(event: HouseEvent) -> None:
    assert decode_event(kind_of(event), encode_event(event)) == event


def test_the_kind_of_an_event_is_its_tag() -> None:
    for kind, of in KINDS.items():
        assert of.__struct_config__.tag == kind
    assert kind_of(Opened()) == "opened"
    assert kind_of(Left(bytes(32))) == "left"


@given(EVENTS, st.sampled_from([*KINDS, "bid", "terms", ""]))
def test_an_entry_that_holds_another_kinds_event_is_malformed(event: HouseEvent, kind: str) -> None:
    if kind != kind_of(event):
        with pytest.raises(
            MalformedEntryError, match=f"an entry of kind {kind} holds an event of kind {kind_of(event)}"
        ):
            decode_event(kind, encode_event(event))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("opened", "91a66f70656e6564c0", id="a byte after the end"),
        pytest.param("opened", "92a66f70656e6564c0", id="an element too many"),
        pytest.param("opened", "91d9066f70656e6564", id="a longer form of the tag"),
        pytest.param("opened", "dc0001a66f70656e6564", id="a longer form of the array's length"),
        pytest.param("opened", "81a474797065a66f70656e6564", id="a map instead of an array"),
        pytest.param("opened", "a66f70656e6564", id="a string instead of an array"),
        pytest.param("opened", "", id="nothing"),
        pytest.param("opened", "90", id="an empty array"),
        pytest.param("left", "92a46c656674c41f" + "00" * 31, id="a key of 31 bytes"),
        pytest.param("left", "92a46c656674c421" + "00" * 33, id="a key of 33 bytes"),
        pytest.param("left", "91a46c656674", id="no key"),
        pytest.param("left", "92a46c656674c0", id="nil for a key"),
        pytest.param("gap", "94a36761700001a6706f776572", id="a truncated cause"),
        pytest.param("gap", "94a36761700001a5706f776572", id="an unknown cause"),
        pytest.param("gap", "94a3676170cc0001a772657374617274", id="a longer form of an integer"),
        pytest.param("gap", "94a3676170ff01a772657374617274", id="a time below 0"),
        pytest.param("gap", "94a3676170cf400000000000000101a772657374617274", id="a time beyond 2^62"),
        pytest.param("gap", "94a3676170cb3ff000000000000001a772657374617274", id="a float"),
        pytest.param("gap", "93a36761700001", id="no cause"),
        pytest.param("cancelled", "92a963616e63656c6c6564d941" + "61" * 65, id="a reason of 65 characters"),
        pytest.param("closed", "92a6636c6f736564a76e6f5f62696473", id="elements left out that have a default"),
        pytest.param("closed", "96a6636c6f736564a76e6f5f62696473c0ffc0c0", id="a price below 0"),
        pytest.param("closed", "96a6636c6f736564a76e6f5f62696473c0cf00038d7ea4c68001c0c0", id="a price beyond 10^15"),
        pytest.param("closed", "96a6636c6f736564a76e6f5f62696473c0c0ffc0", id="an index below 0"),
        pytest.param("closed", "96a6636c6f736564a76e6f5f62696473c403616e6ec0c0c0", id="a winner that is no key"),
        pytest.param("closed", "96a6636c6f736564a76e6f5f62696473c0c0c09101", id="an opening without salt"),
        pytest.param("cancelled", "92a963616e63656c6c6564a1ff", id="a reason that is not UTF-8"),
        pytest.param("opened", "91a66f70656e65ff", id="a tag that is not UTF-8"),
        pytest.param("bid", "92a3626964c0", id="a participant's tag"),
        pytest.param("takeover", "91a874616b656f766572", id="a takeover by nobody"),
        pytest.param("takeover", "93a874616b656f766572a001", id="an instance without a name"),
        pytest.param("takeover", "93a874616b656f766572d921" + "61" * 33 + "01", id="a name of 33 characters"),
        pytest.param("takeover", "93a874616b656f766572a16100", id="an epoch of nobody's"),
        pytest.param("takeover", "93a874616b656f766572a161cf0020000000000001", id="an epoch beyond 2^53"),
        pytest.param("handover", "93a868616e646f766572a16101", id="a tag that is not known"),
        pytest.param("paused", "91a6706175736564", id="a pause without a cause"),
        pytest.param("paused", "92a6706175736564a36f7074", id="a pause for an unknown cause"),
        pytest.param("resumed", "93a7726573756d6564a3636170c0", id="an element too many in a resumption"),
        pytest.param(
            "defaulted", "93a964656661756c746564c41f" + "00" * 31 + "a46c617465", id="a defaulter of 31 bytes"
        ),
        pytest.param("defaulted", "92a964656661756c746564c420" + "00" * 32, id="a default without a cause"),
        pytest.param("defaulted", "93a964656661756c746564c420" + "00" * 32 + "a3636170", id="the cause of another"),
        pytest.param("declined", "92a86465636c696e6564c41f" + "00" * 31, id="an offer's id of 31 bytes"),
        pytest.param("declined", "91a86465636c696e6564", id="an offer without its id"),
        pytest.param("reverted", "92a87265766572746564c0", id="an element too many in a reversal"),
        pytest.param("reverted", "92a76465636c696e65c0", id="a participant's command"),
    ],
)
def test_a_body_in_any_other_form_is_malformed(kind: str, body: str) -> None:
    with pytest.raises(MalformedEntryError, match=r"^not an event of the house: "):
        decode_event(kind, bytes.fromhex(body))


@pytest.mark.parametrize("depth", [2, 1_000, 200_000])
def test_deep_nesting_is_malformed(depth: int) -> None:
    for data in (b"\x91" * depth + b"\xc0", b"\x92\xa6opened" + b"\x91" * depth + b"\xc0"):
        with pytest.raises(MalformedEntryError):
            decode_event("opened", data)


def test_five_thousand_damaged_events_are_malformed_or_are_other_events(vectors: dict[str, Any]) -> None:
    rng = random.Random(20_260_102)
    seeds = [(vector["kind"], bytes.fromhex(vector["bytes"])) for vector in vectors["house_events"]]
    read = refused = 0
    for _ in range(5_000):
        kind, body = rng.choice(seeds)
        data = bytearray(body)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            event = decode_event(kind, bytes(data))
        except MalformedEntryError:
            refused += 1
        else:
            assert encode_event(event) == data
            read += 1
    assert read > 500
    assert refused > 500
