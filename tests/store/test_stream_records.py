"""What a message says is read as it was written, and no two that differ in anything have one name."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import StoreError
from auctionctl.store.log_store import ENTRY_BYTES_MAX, TIME_NS_MAX
from auctionctl.store.stream_records import (
    NOWHERE,
    PIECE_BYTES,
    Alive,
    Allowed,
    Claim,
    Deposed,
    Entries,
    Limited,
    Message,
    Opened,
    Record,
    Removed,
    count_in,
    join,
    log_named,
    read_header,
    split,
    subject_word,
    write_header,
)

numbers = st.integers(0, TIME_NS_MAX)
words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128)
records = (
    st.builds(Entries, numbers, numbers, numbers)
    | st.builds(Claim, numbers, words)
    | st.builds(Removed, numbers)
    | st.builds(Alive, numbers)
    | st.builds(Alive, numbers, words.filter(lambda word: word != NOWHERE) | st.just(""), numbers)
    | st.builds(Claim, numbers, words, numbers)
    | st.builds(Claim, numbers, words, st.integers(1, TIME_NS_MAX), numbers)
    | st.builds(Alive, numbers, words.filter(lambda word: word != NOWHERE) | st.just(""), numbers, numbers)
    | st.builds(Deposed, numbers)
    | st.builds(Deposed, numbers, numbers, words)
    | st.builds(Allowed, numbers)
    | st.builds(Limited, numbers)
    | st.builds(Opened, words)
)


@given(records, words)
def test_a_record_is_read_as_it_was_written(record: Record, writer: str) -> None:
    assert read_header(write_header(record, writer)) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "entries",
        "entries 1 2 w",
        "entries 1 2 x w",
        "entries 1 2 -3 w",
        "entries 1 2 3 w more",
        "alive ٣ w",
        f"alive {TIME_NS_MAX + 1} w",
        "opened 2 main w",
        "claim 1 main x w",
        "alive 1 h:1 w",
        "deposed w",
        "merged 1 w",
        "Removed 1 w",
    ],
)
def test_what_says_no_record_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="is no record"):
        read_header(text)


@given(words, words)
def test_a_log_has_a_subject_of_one_word_and_its_own(one: str, other: str) -> None:
    word = subject_word(one)
    assert log_named(word) == one
    assert not set(word) & set(" .*>\t\r\n")
    assert (word == subject_word(other)) == (one == other)


@given(st.lists(st.integers(0, 64) | st.just(ENTRY_BYTES_MAX), max_size=80))
def test_entries_in_bounded_pieces_come_back_whole_and_in_order(sizes: list[int]) -> None:
    entries = [bytes([index]) * size for index, size in enumerate(sizes)]
    payloads = split(entries)
    pieces = [join(payload, Entries(1, 0, count_in(payload))) for payload in payloads]
    assert list(itertools.chain(*pieces)) == entries
    assert all(pieces)
    assert all(len(payload) <= PIECE_BYTES + ENTRY_BYTES_MAX for payload in payloads)


def test_a_payload_that_is_not_what_its_header_says_is_refused() -> None:
    (payload,) = split([b"a", b"b"])
    with pytest.raises(StoreError, match="holds 2 entries, and says 3"):
        join(payload, Entries(1, 0, 3))
    with pytest.raises(StoreError, match="cannot be read"):
        join(payload[:-1], Entries(1, 0, 2))
    with pytest.raises(StoreError, match="cannot be read"):
        join(b"\x01", Entries(1, 0, 1))


def test_messages_that_differ_in_anything_have_different_names() -> None:
    messages = [
        Message("s", 1, "h", b"p"),
        Message("t", 1, "h", b"p"),
        Message("s", 2, "h", b"p"),
        Message("s", None, "h", b"p"),
        Message("s", 1, "i", b"p"),
        Message("s", 1, "h", b"q"),
        Message("s", 1, "hp", b""),
    ]
    assert len({message.id for message in messages}) == len(messages)
    assert Message("s", 1, "h", b"p").id == messages[0].id


def test_what_a_house_alone_writes_is_what_it_always_was() -> None:
    """Whoever reads an older stream, or reads this one with an older version, finds the same words."""
    assert write_header(Claim(3, "main"), "w") == "claim 3 main w"
    assert write_header(Alive(5), "w") == "alive 5 w"
    assert write_header(Entries(5, 0, 2), "w") == "entries 5 0 2 w"
