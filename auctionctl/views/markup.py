"""Elements of HTML and SVG as text: well-formed as XML too, and with no way for anybody's words to become markup.

Rule: whatever is not :class:`Markup` already is made safe to read by :func:`safe_text` and then escaped; so is every
attribute. Source: HTML Living Standard, section 13.1; XML 1.0, section 2.4.
"""

from __future__ import annotations

import html
from typing import Final

from auctionctl.views.peer_text import safe_text

MAX_CHARACTERS: Final = 5_000
"""Of one text: more than any field of the terms holds."""


class Markup(str):
    """Text that is markup, made by :func:`element` alone, or written down in a source file."""

    __slots__ = ()


def element(name: str, /, *content: Markup | str, **attributes: str | int) -> Markup:
    """``<name …>content</name>``; of the names of attributes, a last ``_`` is dropped and others become ``-``."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(str(value))}"' for key, value in attributes.items()
    )
    if not content:
        return Markup(f"<{name}{given}/>" if name in _VOID else f"<{name}{given}></{name}>")
    return Markup(f"<{name}{given}>{joined(content)}</{name}>")


_VOID: Final = frozenset({"meta", "rect", "line", "circle", "path"})
"""Elements that never have content, of those that are used here."""


def joined(parts: tuple[Markup | str, ...] | list[Markup], between: str = "") -> Markup:
    """All of ``parts``, one after the other; ``between`` is white space."""
    return Markup(between.join(part if isinstance(part, Markup) else escaped(part) for part in parts))


def escaped(text: str) -> Markup:
    """Anybody's words as text."""
    return Markup(html.escape(safe_text(text, MAX_CHARACTERS)) if text else "")
