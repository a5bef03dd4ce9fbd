"""The lots that a house sells itself, from its file: announced once, as soon as there is room.

Rule: what was announced before, be it running, ended, archived or in quarantine, is never announced again: a second
sale would be worse than none. What does not fit now — under the limit of running auctions, or on a full disk — waits,
and holds up nothing that was acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from secrets import token_bytes

from auctionctl.house.effects import Effect
from auctionctl.house.house import House
from auctionctl.keys.signing import SecretKey
from auctionctl.net.house_words import Announced
from auctionctl.wire.frames import Message
from auctionctl.wire.listing import Entropy, LotDescription, differences, sign_terms


class OwnLots:
    """``perform`` makes the effects of an announcement happen, and is back when they have, or were rolled back."""

    def __init__(self, house: House, key: SecretKey, perform: Callable[[list[Effect], int], None]) -> None:
        self.waiting: list[LotDescription] = []
        """What is not announced yet, in the order of the file."""
        self._house = house
        self._key = key
        self._perform = perform

    def take_on(self, lots: Sequence[LotDescription]) -> dict[str, tuple[str, ...]]:
        """From now on these are the house's lots. Listing → what is described otherwise than it was announced.

        Raises TermsError if one of them cannot be announced at all; then nothing has changed.
        """
        seller = self._key.identity.signing
        differs: dict[str, tuple[str, ...]] = {}
        waiting: list[LotDescription] = []
        for lot in lots:
            log = self._house.find_listing(seller, lot.listing)
            if log is not None:
                differs[lot.listing] = differences(lot, log.auction.terms, log.reserve)
            elif self._house.registry.state.find_listing(seller, lot.listing) is None:
                self._sign(lot)
                waiting.append(lot)
        self.waiting = waiting
        return differs

    def announce(self, now_ns: int) -> None:
        """Announce what waits, as far as there is room; another instance may have announced some of it."""
        seller = self._key.identity.signing
        self.waiting = [
            lot for lot in self.waiting if self._house.registry.state.find_listing(seller, lot.listing) is None
        ]
        while self.waiting and self._house.has_room:
            lot = self.waiting[0]
            terms = self._sign(lot)
            self._perform(self._house.announce(terms.body, terms.signature, now_ns), now_ns)
            if self._house.registry.state.find_listing(seller, lot.listing) is None:
                return  # It was rolled back: the store is full.
            del self.waiting[0]

    def _sign(self, lot: LotDescription) -> Message:
        entropy = Entropy(token_bytes(16), token_bytes(32), token_bytes(32))
        house = self._key.identity.signing
        return sign_terms(lot, house, self._key.escrow_public, self._key, entropy)


def list_announced(house: House, resumed: Set[bytes], differs: Mapping[str, tuple[str, ...]]) -> list[Announced]:
    """Every auction that ``house`` holds; ``resumed`` are ids of those that it held before, ``differs`` as above."""
    return [
        Announced(log.id, terms.listing, terms.lot.title, log.id in resumed, differs.get(terms.listing, ()))
        for log in house.logs
        for terms in [log.auction.terms]
    ]
