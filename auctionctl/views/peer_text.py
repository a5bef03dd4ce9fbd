"""Words that others chose, made safe to show on a terminal.

Rule: what a peer wrote can neither move the cursor, nor turn the direction of writing, nor hide: control characters,
format characters (bidirectional marks, zero-width ones, tags) and blanks that pass for nothing are taken out, every
other white space becomes one space, a secret key loses all but its prefix, and what is too long is cut. Rich markup is
no danger to callers who wrap the result in ``rich.text.Text``. Source: Unicode 15 general categories, UAX #9.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from auctionctl.keys.encoding import redacted

MAX_CHARACTERS: Final = 120
MAX_COMBINING: Final = 3
"""How many combining marks one character may carry: enough for every script, too few to climb over other lines."""

_REMOVED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_COMBINING: Final = frozenset({"Mn", "Me"})
# Letters and symbols by category, and yet nothing to see: Hangul fillers, the blank Braille pattern, Khmer vowels.
_INVISIBLE: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f")


def safe_text(text: str, max_characters: int = MAX_CHARACTERS) -> str:
    """``text`` without a secret key or anything that misleads a terminal, on one line, at most ``max_characters`` long.

    What is cut ends in ``…``; a text of which nothing is left becomes ``?``.
    """
    # Peers send up to kilobytes: what lies far beyond the cut need not be looked at.
    kept: list[str] = []
    combining = 0
    for character in text[: 8 * max_characters]:
        if character.isspace():
            character = " "  # noqa: PLW2901 - the same character, in the form in which it is shown
            if not kept or kept[-1] == " ":
                continue
        category = unicodedata.category(character)
        if category in _REMOVED or character in _INVISIBLE:
            continue
        combining = combining + 1 if category in _COMBINING else 0
        if combining <= MAX_COMBINING:
            kept.append(character)
    safe = redacted("".join(kept).strip())
    if len(safe) > max_characters:
        safe = safe[: max_characters - 1].rstrip() + "…"
    return safe or "?"
