"""A seller's core: one auction opened at one house, once, whatever is lost or repeated on the way.

A :class:`~auctionctl.replica.follower.Follower` in the role of a seller, with the same moves for its shell. Rule: the
house is asked first what it holds under the seller's listing; terms are then sent as the same bytes until they are
answered; and they count as taken only with a receipt for entry 0 and the registry's announcement of it, both checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auctionctl.auction.terms import SECOND_NS, Terms, auction_id, decode_terms
from auctionctl.bidding.answers import check_receipt
from auctionctl.bidding.errand import Errand
from auctionctl.bidding.notices import Evidence
from auctionctl.bidding.seat import Command
from auctionctl.errors import VerificationError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.announcement import RULE, check_announcement
from auctionctl.replica.follower import Follower, Listed, Welcomed
from auctionctl.replica.replica import Replica
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Receipted, Receipts, Refused

RETRY_NS: Final = 2 * SECOND_NS
"""How long unanswered terms wait before they are sent again."""
MAX_BUSY_NS: Final = 30 * SECOND_NS
"""The longest pause that a busy house is granted."""
MAX_MISSES: Final = 4
"""How many pages without the auction are taken for late ones."""
FINAL_CODES: Final = frozenset({"terms", "not_authorised", "bad_signature", "malformed", "unknown_type"})
"""What a house refuses for good: to send the same again would not help."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the house holds of this seller under the listing, if anything: :meth:`Seller.offer` is to follow.

    ``escrow`` is the house's box for reserves.
    """

    held: Terms | None
    escrow: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """The house does not take the terms; its words."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The auction is held: entry 0 is in its log, and the registry announces it."""

    auction: bytes
    terms: Terms
    evidence: Evidence
    announcement: bytes


@dataclass(frozen=True, slots=True)
class PutOff:
    """The house does not take the terms for now: they are sent again by themselves. Its words."""

    code: str
    words: str


SellerNotice = Asked | Refusal | PutOff | Taken


class Seller(Errand):
    """One seller, who sells under one ``listing``, over one session of one house. Times are this machine's."""

    def __init__(self, key: SecretKey, house: Identity, listing: str) -> None:
        super().__init__(Follower(key, house, "seller"))
        self._me = key.identity.signing
        self._house = house
        self._listing = listing
        self._escrow = b""
        self._command: Command | None = None
        self._evidence: Evidence | None = None
        self._is_settled = False
        self._misses = 0
        self._notices: list[SellerNotice] = []

    def offer(self, message: Message, now_ns: int) -> None:
        """Send these signed terms, until they are answered."""
        self._command = Command(auction_id(message.body), Kind.TERMS, message, 0, 0, now_ns)
        self._transmit(now_ns)

    # The shell's other moves, as a Follower has them

    def take_notices(self) -> list[SellerNotice]:
        """What happened since the last call; :meth:`receive` returns it too."""
        notices, self._notices = self._notices, []
        return notices

    def receive(self, message: Message, now_ns: int) -> list[SellerNotice]:
        """What one message of the house means.

        Raises what a Follower raises; VerificationError also for a receipt that does not hold, and for terms that the
        house has acknowledged and does not list.
        """
        for notice in self.follower.receive(message, now_ns):
            match notice:
                case Welcomed(escrow=escrow):
                    self._escrow = escrow
                    self._welcomed(now_ns)
                case Listed():
                    self._listed(now_ns)
                case Receipts(auction=auction, checkpoint=note, receipts=receipts):
                    for receipted in receipts:
                        self._receipted(auction, receipted, note, now_ns)
                case Refused():
                    self._refused(notice, now_ns)
                case _:
                    pass
        return self.take_notices()

    def get_timer(self) -> int | None:
        """When :meth:`handle_timer` should be called, or None."""
        timer_ns = self.follower.get_timer()
        if timer_ns is None or not self.is_welcome or self._command is None or self._is_answered:
            return timer_ns
        return min(timer_ns, self._command.send_at_ns)

    def handle_timer(self, now_ns: int) -> None:
        """Do what is due."""
        self.follower.handle_timer(now_ns)
        self._transmit(now_ns)

    # Inside

    @property
    def _is_answered(self) -> bool:
        return self._is_settled or self._evidence is not None

    def _transmit(self, now_ns: int) -> None:
        command = self._command
        if command is None or self._is_answered or not self.is_welcome or now_ns < command.send_at_ns:
            return
        command.send_at_ns = now_ns + RETRY_NS
        self._outgoing.append(command.message)

    def _welcomed(self, now_ns: int) -> None:
        if self._command is None or self._evidence is not None:
            self.follower.list_auctions(now_ns)
        elif not self._is_settled:
            self._command.send_at_ns = now_ns
            self._transmit(now_ns)

    def _listed(self, now_ns: int) -> None:
        if self._is_settled:
            return
        if self._command is None:
            held = [
                terms
                for terms in self.follower.catalogue.values()
                if (terms.seller, terms.listing) == (self._me, self._listing)
            ]
            self._notices.append(Asked(held[0] if held else None, self._escrow))
        elif self._evidence is not None and not self._asks_again(self._command, now_ns):
            self._conclude(self._evidence, self._command)

    def _asks_again(self, command: Command, now_ns: int) -> bool:
        """A page that was made before the auction was may come after its receipt: it proves nothing, a few do."""
        is_listed = command.id in self.follower.announcements and command.id in self.follower.catalogue
        self._misses += not is_listed
        if is_listed or self._misses > MAX_MISSES:
            return False
        self.follower.list_auctions(now_ns)
        return True

    def _receipted(self, auction: bytes, receipted: Receipted, note: bytes, now_ns: int) -> None:
        command = self._command
        if command is None or (auction, receipted.command) != (command.id, command.id) or self._is_answered:
            return
        evidence, _ = check_receipt(self._house, Replica(self._house, auction), command, receipted, note)
        if receipted.index != 0:
            raise VerificationError("terms are the first entry of their log", rule="receipt", index=receipted.index)
        self._evidence = evidence
        self.follower.list_auctions(now_ns)

    def _conclude(self, evidence: Evidence, command: Command) -> None:
        announcement = self.follower.announcements.get(command.id)
        if announcement is None or command.id not in self.follower.catalogue:
            raise VerificationError("the house has acknowledged these terms, and does not announce them", rule=RULE)
        terms = decode_terms(command.message.body)
        check_announcement(announcement, self._house, command.id, terms, decode(evidence.entry).time_ns)
        self._is_settled = True
        self._notices.append(Taken(command.id, terms, evidence, announcement))

    def _refused(self, refused: Refused, now_ns: int) -> None:
        command = self._command
        if command is None or refused.command != command.id or self._is_answered:
            return
        if refused.code in FINAL_CODES:
            self._is_settled = True
            self._notices.append(Refusal(refused.code, refused.message))
        else:
            command.send_at_ns = now_ns + (min(refused.retry_after_ns, MAX_BUSY_NS) or RETRY_NS)
            self._notices.append(PutOff(refused.code, refused.message))
