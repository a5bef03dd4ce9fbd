"""Words of a person that are signed and shown to others: checked before they are."""

from __future__ import annotations

from auctionctl.auction.commands import MAX_WORDS_CHARACTERS
from auctionctl.cli.arguments import ArgumentError


def check_words(option: str, text: str) -> None:
    """Raise ArgumentError for text that no command can hold, or that would not be shown as it was written."""
    if len(text) > MAX_WORDS_CHARACTERS:
        raise ArgumentError(
            f"{option}: {len(text)} characters, and the most is {MAX_WORDS_CHARACTERS}", hint="say it in fewer words"
        )
    if not text.isprintable():
        raise ArgumentError(f"{option}: it holds characters that cannot be shown", hint="write it on one line, as text")
