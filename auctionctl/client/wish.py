"""What somebody would bid, as text: ``12.50EUR``, ``+5.00EUR`` above the price, or ``min``."""

from __future__ import annotations

from typing import Final

import msgspec

from auctionctl.auction.price import parse_money
from auctionctl.bidding.once import Above, Amount, Exactly, Least
from auctionctl.errors import MoneyError

LEAST: Final = "min"


class Wish(msgspec.Struct, frozen=True):
    """What was asked for; ``currency`` is None where the text says none."""

    amount: Amount
    currency: str | None


def parse_wish(text: str) -> Wish:
    """The wish that ``text`` says. Raises MoneyError."""
    if text.strip() == LEAST:
        return Wish(Least(), None)
    is_above = text.strip().startswith("+")
    money = parse_money(text.strip().removeprefix("+"))
    if not money.minor:
        raise MoneyError("it has to be more than nothing", hint="write it as 12.50EUR, +5.00EUR or min")
    return Wish(Above(money.minor) if is_above else Exactly(money.minor), money.currency)
