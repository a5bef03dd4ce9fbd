"""Words that are signed for others to read are checked before: short, on one line, and such as can be shown."""

from __future__ import annotations

import pytest

from auctionctl.auction.commands import MAX_WORDS_CHARACTERS
from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.words import check_words


@pytest.mark.parametrize("text", ["", "a fire alarm", "Überweisung № 1", "x" * MAX_WORDS_CHARACTERS])
def test_words_that_can_be_shown_are_taken(text: str) -> None:
    check_words("--reason", text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * (MAX_WORDS_CHARACTERS + 1), "201 characters"),
        ("two\nlines", "cannot be shown"),
        ("\x1b[31mred", "cannot be shown"),
        ("\u202eevil", "cannot be shown"),
        ("\ud800", "cannot be shown"),
    ],
)
def test_what_could_not_be_read_as_written_is_refused_with_the_option(text: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words) as raised:
        check_words("--reason", text)
    assert str(raised.value).startswith("--reason: ")
    assert raised.value.hint
