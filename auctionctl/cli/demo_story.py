"""What the demo plays: three bidders with one budget each, three lots at once, and why each lot must end as it does.

Whatever the interleaving, each of these ends is certain:

* the *watch* meets its reserve of 800: whoever leads below 840, Alice or Charlie goes higher. Alice values it at 1300,
  and has at least 950 left for it even if all that she ever bid for the other two were still tied up; Charlie pays up
  to 850, from half-time on;
* the *sketch* cannot meet its reserve of 2500: nobody has so much money;
* the *plate* is extended: others stop at 275 at the latest, Charlie comes in at half-time with up to 850, and half of
  the time is less than the soft close's window of three fifths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auctionctl.cli.settings.durations import UNITS_NS, format_duration

HOUSE: Final = "house"
OBSERVER: Final = "observer"
MIN_DURATION_NS: Final = 3 * UNITS_NS["s"]
MAX_DURATION_NS: Final = UNITS_NS["h"]


@dataclass(frozen=True, slots=True)
class Player:
    """One bidder: the name of its key, and the options of its ``bid``."""

    name: str
    budget: str
    strategy: str
    params: tuple[str, ...] = ()


PLAYERS: Final = (
    Player("alice", "1500.00EUR", "market-value"),
    Player("bob", "1200.00EUR", "aggressive"),
    Player("charlie", "2000.00EUR", "conservative", ("value=1000.00EUR",)),
)

INTRODUCTION: Final = (
    "three lots at once; three bidders, each with one budget for all of them:",
    "  alice    1500.00EUR  market-value: bids the minimum, up to the estimate",
    "  bob      1200.00EUR  aggressive: jumps ahead, up to a tenth above the estimate, while the money lasts",
    "  charlie  2000.00EUR  conservative: waits for half-time, then pays up to 850.00EUR for anything",
)

_LOTS: Final = """
[[auction]]
item = "Gold watch, 1962"
description = "Runs. The reserve is sealed until the close."
starting_price = "200.00EUR"
estimate = "1300.00EUR"
reserve_price = "800.00EUR"
increment = "10.00EUR"
duration = "{duration}"

[[auction]]
item = "Sketch, unsigned"
description = "Its owner hopes for more than anybody here has."
starting_price = "50.00EUR"
estimate = "300.00EUR"
reserve_price = "2500.00EUR"
increment = "5%"
duration = "{duration}"

[[auction]]
item = "Enamel plate, blue"
description = "A late bid extends it."
starting_price = "40.00EUR"
estimate = "250.00EUR"
increment = [["0", "5.00"], ["100", "10.00"]]
soft_close = "{window}"
duration = "{duration}"
"""


def auctions_toml(duration_ns: int, port: int) -> str:
    """The AUCTIONS.toml of the demo."""
    lots = _LOTS.format(duration=format_duration(duration_ns), window=format_duration(duration_ns * 3 // 5))
    return f'[house]\nname = "{HOUSE}"\nkey = "{HOUSE}"\nbind = "127.0.0.1"\nport = {port}\nverifiers = 1\n{lots}'
