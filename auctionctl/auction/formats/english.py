"""English auction: open ascending bids, the highest wins at its own bid (Krishna, Auction Theory, chapter 1)."""

from __future__ import annotations

from auctionctl.auction.formats.format import Standing
from auctionctl.auction.increments import increment_at
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.rules import Rules


class English:
    """First bid ≥ starting price, then ≥ price + increment(price); the leader does not outbid itself."""

    def minimum_minor(self, rules: Rules, standing: Standing | None) -> int:
        """The least acceptable amount now, in minor units."""
        if standing is None:
            return max(1, rules.starting_price_minor)
        return standing.price_minor + increment_at(rules.increment, standing.price_minor)

    def refuse(self, rules: Rules, standing: Standing | None, bidder: bytes, amount_minor: int) -> Refusal | None:
        """Why this amount is refused, or None where it is acceptable."""
        minimum_minor = self.minimum_minor(rules, standing)
        if standing is None:
            if amount_minor < minimum_minor:
                return Refusal(Code.BELOW_STARTING_PRICE, (("amount", amount_minor), ("minimum", minimum_minor)))
            return None
        if standing.leader == bidder:
            return Refusal(Code.ALREADY_LEADING, (("price", standing.price_minor),))
        if amount_minor < minimum_minor:
            observed = (("amount", amount_minor), ("price", standing.price_minor), ("minimum", minimum_minor))
            return Refusal(Code.BELOW_INCREMENT, observed)
        return None

    def sale(self, standing: Standing, reserve_minor: int | None) -> Standing | None:
        """The leader at its own bid, unless that is below the reserve."""
        if reserve_minor is not None and standing.price_minor < reserve_minor:
            return None
        return standing
