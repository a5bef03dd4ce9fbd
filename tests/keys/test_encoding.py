"""Key text has one form, and says what is wrong with any other (BIP-350, DESIGN.md section 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import KeyTextError
from auctionctl.keys.encoding import (
    PUBLIC_PREFIX,
    SECRET_PREFIX,
    decode,
    decode_words,
    encode,
    encode_words,
    is_name,
)

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
PUBLIC = encode(PUBLIC_PREFIX, bytes(range(64)))
SECRET = encode(SECRET_PREFIX, bytes(range(32)))

BIP_350_VALID = [
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11" + "l" * 82 + "ludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
BIP_350_INVALID = [
    ("\x201xj0phk", "position 1"),
    ("\x7f1g6xzxy", "position 1"),
    ("\x801vctc34", "position 1"),
    ("an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4", "prefix"),
    ("qyrz8wqd2c9m", "prefix"),
    ("1qyrz8wqd2c9m", "prefix"),
    ("y1b0jsk6g", "position 3: 'b'"),
    ("lt1igcx5c0", "position 4: 'i'"),
    ("in1muywd", "no room"),
    ("mm1crxm3i", "position 9: 'i'"),
    ("au1s5cgom", "position 8: 'o'"),
    ("M1VUXWEZ", "checksum"),
    ("16plkw9", "prefix"),
    ("1p2gdwpf", "prefix"),
]


@pytest.mark.parametrize("text", BIP_350_VALID)
def test_the_valid_vectors_of_bip_350_decode_and_encode_back(text: str) -> None:
    hrp, words = decode_words(text)
    assert encode_words(hrp, words) == text.lower()


@pytest.mark.parametrize(("text", "reason"), BIP_350_INVALID)
def test_the_invalid_vectors_of_bip_350_are_refused_for_their_reason(text: str, reason: str) -> None:
    with pytest.raises(KeyTextError, match=reason):
        decode_words(text)


def test_the_original_bech32_checksum_is_refused() -> None:
    with pytest.raises(KeyTextError, match="checksum"):
        decode_words("a12uel5l")


def test_general_text_of_mixed_case_is_refused() -> None:
    with pytest.raises(KeyTextError, match="mixed case"):
        decode_words("A1lqfn3a")


def test_a_public_key_is_113_lower_case_characters_and_a_secret_74_upper_case_ones() -> None:
    assert (len(PUBLIC), PUBLIC[:4], PUBLIC) == (113, "auc1", PUBLIC.lower())
    assert (len(SECRET), SECRET[:16], SECRET) == (74, "AUC-SECRET-KEY-1", SECRET.upper())


@given(st.binary(min_size=64, max_size=64))
def test_a_public_key_survives_text(data: bytes) -> None:
    assert decode(PUBLIC_PREFIX, encode(PUBLIC_PREFIX, data)) == data


@given(st.binary(min_size=32, max_size=32))
def test_a_secret_key_survives_text(data: bytes) -> None:
    assert decode(SECRET_PREFIX, encode(SECRET_PREFIX, data)) == data


@given(
    st.sampled_from([(PUBLIC_PREFIX, PUBLIC), (SECRET_PREFIX, SECRET)]),
    st.lists(st.tuples(st.integers(0, 112), st.characters(max_codepoint=0x2FF)), max_size=4),
    st.sampled_from(["", " ", "\n", "q"]),
)
def test_accepted_text_encodes_to_itself(kind: tuple[str, str], edits: list[tuple[int, str]], tail: str) -> None:
    hrp, text = kind
    for edit, character in edits:
        place = edit % len(text)
        text = text[:place] + character + text[place + 1 :]
    text += tail
    try:
        data = decode(hrp, text)
    except KeyTextError:
        assert text != kind[1]
    else:
        assert encode(hrp, data) == text


@given(st.integers(4, 112), st.integers(1, 31))
def test_no_single_mistyped_character_passes(place: int, shift: int) -> None:
    wrong = ALPHABET[(ALPHABET.index(PUBLIC[place]) + shift) % 32]
    with pytest.raises(KeyTextError, match="checksum"):
        decode(PUBLIC_PREFIX, PUBLIC[:place] + wrong + PUBLIC[place + 1 :])


@given(st.integers(4, 111))
def test_no_two_swapped_neighbours_pass(place: int) -> None:
    swapped = PUBLIC[:place] + PUBLIC[place + 1] + PUBLIC[place] + PUBLIC[place + 2 :]
    if swapped != PUBLIC:
        with pytest.raises(KeyTextError, match="checksum"):
            decode(PUBLIC_PREFIX, swapped)


@pytest.mark.parametrize(
    ("hrp", "kind", "word_count", "padding_bits"),
    [(PUBLIC_PREFIX, "public key", 103, 3), (SECRET_PREFIX, "secret key", 52, 4)],
)
def test_padding_bits_that_are_not_zero_are_refused(hrp: str, kind: str, word_count: int, padding_bits: int) -> None:
    text = encode_words(hrp, [0] * (word_count - 1) + [1])
    text = text.upper() if hrp.isupper() else text
    with pytest.raises(KeyTextError, match=f"not a {kind}: its last {padding_bits} bits are not zero"):
        decode(hrp, text)


@pytest.mark.parametrize(
    ("hrp", "text", "message"),
    [
        (PUBLIC_PREFIX, "", "wrong prefix: a public key begins with auc1"),
        (PUBLIC_PREFIX, "abc" + PUBLIC[3:], "wrong prefix: a public key begins with auc1"),
        (SECRET_PREFIX, PUBLIC, "wrong prefix: a secret key begins with AUC-SECRET-KEY-1"),
        (PUBLIC_PREFIX, SECRET, "a secret key stands where a public key belongs"),
        (PUBLIC_PREFIX, SECRET.lower(), "a secret key stands where a public key belongs"),
        (PUBLIC_PREFIX, PUBLIC.upper(), "wrong case: a public key is all in lower case"),
        (SECRET_PREFIX, SECRET.lower(), "wrong case: a secret key is all in upper case"),
        (PUBLIC_PREFIX, "A" + PUBLIC[1:], "mixed case: a public key is all in lower case"),
        (SECRET_PREFIX, SECRET[:16] + "q" + SECRET[17:], "mixed case: a secret key is all in upper case"),
        (PUBLIC_PREFIX, PUBLIC[:-1], "a public key has 113 characters, not 112"),
        (PUBLIC_PREFIX, PUBLIC + " ", "a public key has 113 characters, not 114"),
        (SECRET_PREFIX, SECRET + "Q", "a secret key has 74 characters, not 75"),
        (PUBLIC_PREFIX, PUBLIC[:50] + "b" + PUBLIC[51:], "bad character at position 51: 'b' is in no key"),
        (PUBLIC_PREFIX, PUBLIC[:50] + "1" + PUBLIC[51:], "bad character at position 51: '1' is in no key"),
        (PUBLIC_PREFIX, PUBLIC[:50] + "\x1b" + PUBLIC[51:], "bad character at position 51: '\\x1b' is in no key"),
        (PUBLIC_PREFIX, PUBLIC[:50] + "\u212a" + PUBLIC[51:], "bad character at position 51"),
        ("nsec", PUBLIC, "no key has the prefix 'nsec'"),
    ],
)
def test_refused_text_is_told_what_is_wrong_with_it(hrp: str, text: str, message: str) -> None:
    with pytest.raises(KeyTextError) as caught:
        decode(hrp, text)
    assert str(caught.value) == message


def test_refusing_a_secret_never_repeats_it() -> None:
    for text in (SECRET[:-1], SECRET + SECRET, SECRET[:-1] + "B", SECRET[:-1] + ("Q" if SECRET[-1] != "Q" else "P")):
        with pytest.raises(KeyTextError) as caught:
            decode(SECRET_PREFIX, text)
        assert SECRET[16:24] not in f"{caught.value} {caught.value.hint}".upper()


@pytest.mark.parametrize(("hrp", "length_bytes"), [(PUBLIC_PREFIX, 32), (PUBLIC_PREFIX, 65), (SECRET_PREFIX, 31)])
def test_data_of_another_length_has_no_text(hrp: str, length_bytes: int) -> None:
    with pytest.raises(KeyTextError, match=f"bytes, not {length_bytes}"):
        encode(hrp, bytes(length_bytes))


@pytest.mark.parametrize("name", ["a", "0", "alice", "a.b_c-d", "x" * 32])
def test_names_of_the_house_style_are_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", ".a", "-a", "_a", "a b", "a/b", "a\n", "x" * 33, "é", "٣"])
def test_anything_else_is_no_name(name: str) -> None:
    assert not is_name(name)
