"""What the keys of the board do."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

KEYS: Final = (
    ("↑ ↓, k j", "choose a lot, scroll a ladder; Page Up and Down, Home, End too"),
    ("Enter", "the newest bids of the lot; Enter or Esc leads back"),
    ("/", "only lots with these words in title, id, leader or phase"),
    ("s", "sort by closing time, price, bids a minute, or lot"),
    ("Esc", "back; in the list: show all lots again"),
    ("?", "this page; any key leads back"),
    ("q, Ctrl-C", "quit; Ctrl-Z leaves it for a while"),
)
REMARKS: Final = (
    "Time left: green, yellow in the last half minute, red in the last ten seconds.",
    "A late bid moves the end: +1 extended. While one is paused, nobody can bid.",
    "All of it is computed from the log, checked entry by entry. It only reads.",
)


def board_help(height: int) -> RenderableType:
    """The page, cut to ``height`` lines."""
    lines = [Text("Keys", style="bold")]
    lines += [Text.assemble((f"{key:<11}", "bold"), what) for key, what in KEYS]
    lines += [Text(), *map(Text, REMARKS)]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines[: max(1, height - 1)])
