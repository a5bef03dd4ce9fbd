from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.views.peer_text import MAX_COMBINING, safe_text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2Jgone", "[2Jgone"),
        ("\x9b31mred", "31mred"),
        ("a\x7fb\x00c", "abc"),
        ("a\u202eb\u2066c\u200fd", "abcd"),
        ("a\u200bb\ufeffc\u2060d\u00ade", "abcde"),
        ("two\r\nlines\tand  more", "two lines and more"),
        ("a\u2028b\u2029c\u00a0d", "a b c d"),
        ("\ud800x", "x"),
        ("\u3164\u2800\u115f", "?"),
        ("", "?"),
        ("[/red] hi", "[/red] hi"),
        ("Größe 3 · 北京 · नमस्ते", "Größe 3 · 北京 · नमस्ते"),
    ],
)
def test_what_could_mislead_a_terminal_is_taken_out_and_nothing_else(hostile: str, shown: str) -> None:
    assert safe_text(hostile) == shown


def test_a_long_text_is_cut_and_says_so() -> None:
    assert safe_text("x" * 500, 10) == "xxxxxxxxx…"
    assert safe_text("x" * 10, 10) == "x" * 10


def test_a_secret_key_is_cut_down_to_its_prefix_however_it_was_cut_or_interrupted() -> None:
    secret = "AUC-SECRET-KEY-1" + "QPZRY9X8" * 7
    for hostile in (secret, secret.lower(), secret[:40], secret[:20] + "\u200b" + secret[20:]):
        assert safe_text(f"/tmp/{hostile}/x").lower() == "/tmp/auc-secret-key-1…/x"
    assert safe_text("x" * 110 + secret) == "x" * 110 + "AUC-SECRE…"
    assert safe_text("one line, AUC-SECRET-KEY-1…") == "one line, AUC-SECRET-KEY-1…"


def test_marks_do_not_pile_up_over_other_lines() -> None:
    assert safe_text("e" + "\u0301" * 40) == "e" + "\u0301" * MAX_COMBINING


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(2, 150))
def test_nothing_that_controls_or_hides_ever_remains(text: str, limit: int) -> None:
    shown = safe_text(text, limit)
    assert 0 < len(shown) <= limit
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in shown)
    assert safe_text(shown, limit) == shown
