"""The core of whoever gives one command: an operator, a seller or a bidder, about one auction, once.

A :class:`~auctionctl.replica.follower.Follower` in that role, with the same moves for its shell. Rule: the command is
made from the verified log as the house has it now, and sent as the same bytes until it is answered; it counts as done
only with a receipt that was checked, or once the log itself holds it. What the rules refuse is the house's to say, and
to sign for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import KINDS, AnyCommand, Capacity, encode_command, type_of
from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.answers import check_judgement, check_receipt, check_rejections, prove_from_replica
from auctionctl.bidding.errand import Errand
from auctionctl.bidding.notices import Evidence
from auctionctl.bidding.seat import Command
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.follower import Advanced, Follower, Notice, Welcomed
from auctionctl.replica.pending_reads import PUT_OFF
from auctionctl.replica.replay import Applied
from auctionctl.replica.replica import HeadsOf, Replica, no_heads
from auctionctl.tlog.entry import Kind
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.messages import Finish, Receipts, Refused, Rejection, Rejections, encode

RETRY_NS: Final = SECOND_NS
"""How long an unanswered command waits before the same bytes are sent again."""
MAX_BUSY_NS: Final = 10 * SECOND_NS
"""The longest pause that a busy house is granted."""
VALID_NS: Final = 30 * SECOND_NS
"""How long the house may accept a command; that it did not answers within a little more is told."""
LOG_PATIENCE_NS: Final = 10 * SECOND_NS
"""How long the house may take to say how its log stands."""
FEED_PATIENCE_NS: Final = 2 * SECOND_NS
"""How long, once a receipt is there, the log itself is waited for."""
FINAL_CODES: Final = frozenset(
    {"not_authorised", "bad_signature", "malformed", "unknown_type", "no_such_auction", "halted"}
)
"""What a house refuses for good: to send the same again would not help."""


class Stamp(msgspec.Struct, frozen=True):
    """What every command says, whatever it is about (:class:`auctionctl.auction.commands.Command`)."""

    house: bytes
    auction: bytes
    actor: bytes
    nonce: bytes
    placed_at_ns: int
    not_after_ns: int

    @property
    def fields(self) -> tuple[bytes, bytes, bytes, bytes, int, int]:
        """In the order of the command's."""
        return self.house, self.auction, self.actor, self.nonce, self.placed_at_ns, self.not_after_ns


Make = Callable[[Auction, Stamp], AnyCommand]
"""Makes the command from the auction as it stands. May raise RefusedError where there is nothing to be done."""


class Done(msgspec.Struct, frozen=True):
    """The command stands in the log."""

    command: AnyCommand
    evidence: Evidence


class Rejected(msgspec.Struct, frozen=True):
    """The rules refused it, and the house signed for that."""

    command: AnyCommand
    rejection: Rejection


class Turned(msgspec.Struct, frozen=True):
    """The house refused it, unsigned: it never reached the rules. Its words."""

    code: str
    words: str


class NotHeard(msgspec.Struct, frozen=True):
    """The house did not say how its log stands: nothing was sent."""


class Unanswered(msgspec.Struct, frozen=True):
    """It was sent, and not answered: it may have been accepted until ``not_after_ns``, on the house's clock."""

    command: AnyCommand


Ending = Done | Rejected | Turned | NotHeard | Unanswered


class Commander(Errand):
    """One command about ``auction`` (32 bytes), in the role that it needs. Times are this machine's."""

    def __init__(
        self,
        key: SecretKey,
        house: Identity,
        auction: bytes,
        role: str,
        *,
        make: Make,
        nonce: bytes,
        now_ns: int,
        heads_of: HeadsOf = no_heads,
        former: SecretKey | None = None,
    ) -> None:
        """``nonce`` is 16 fresh bytes, which make the command another than all before.

        With ``former``, whose place ``key`` has taken at the house, that one signs it: the auction's log names it.
        """
        super().__init__(Follower(key, house, role, heads_of))
        self.ending: Ending | None = None
        self.sent: AnyCommand | None = None
        self._key = key
        self._signer = former or key
        self._house = house
        self._auction = auction
        self._make = make
        self._nonce = nonce
        self._command: Command | None = None
        self._envelope: Message | None = None
        """What is sent: the command, or what brings that of a former key."""
        self._evidence: Evidence | None = None
        self._fresh: list[Applied] = []
        self._wake_ns = now_ns + LOG_PATIENCE_NS
        self.follower.follow({auction}, now_ns)
        self.follower.follow_registry(now_ns)

    @property
    def replica(self) -> Replica | None:
        """The auction's log, once there is something of it."""
        return self.follower.replicas.get(self._auction)

    @property
    def is_done(self) -> bool:
        """Whether there is an :attr:`ending`."""
        return self.ending is not None

    # The shell's other moves, as a Follower has them

    def take_notices(self) -> list[Notice]:
        """What happened without a message of the house: nothing does."""
        return []

    def receive(self, message: Message, now_ns: int) -> list[Notice]:
        """What one message of the house means. Raises what a Follower raises, VerificationError for false answers."""
        notices = self.follower.receive(message, now_ns)
        for notice in notices:
            match notice:
                case Welcomed():
                    self._wake_ns = max(self._wake_ns, now_ns + LOG_PATIENCE_NS)
                    if self._command is not None:
                        self._command.send_at_ns = now_ns
                case Advanced():
                    self._fresh += notice.applied
                    self._look_for_it()
                case Receipts():
                    self._receipted(notice, now_ns)
                case Rejections():
                    self._rejected(notice)
                case Refused():
                    self._refused(notice, now_ns)
                case _:
                    pass
        self._advance(now_ns)
        return notices

    def get_timer(self) -> int | None:
        """When :meth:`handle_timer` should be called, or None."""
        times = [each for each in (self.follower.get_timer(), self._wake_ns) if each is not None]
        if self._command is not None and self._evidence is None and self.is_welcome:
            times.append(self._command.send_at_ns)
        return min(times)

    def handle_timer(self, now_ns: int) -> None:
        """Do what is due."""
        self.follower.handle_timer(now_ns)
        self._advance(now_ns)

    # Inside

    def _advance(self, now_ns: int) -> None:
        if self.ending is not None:
            return
        if self._evidence is not None:
            self._conclude(self._evidence, now_ns)
        elif self._command is not None:
            self._transmit(self._command, now_ns)
        elif self._is_current:
            self._transmit(self._give(now_ns), now_ns)
        elif now_ns >= self._wake_ns:
            self.ending = NotHeard()

    @property
    def _is_current(self) -> bool:
        replica = self.replica
        return self.is_welcome and replica is not None and replica.is_verified and not replica.is_behind

    def _give(self, now_ns: int) -> Command:
        replica = self.replica
        assert replica is not None
        house_ns = now_ns + self.follower.house_ahead_ns
        actor = self._signer.identity.signing
        stamp = Stamp(self._house.signing, self._auction, actor, self._nonce, house_ns, house_ns + VALID_NS)
        command = self.sent = self._make(replica.replay.state, stamp)
        message = self._envelope = sign_body(self._signer, encode_command(command))
        if self._signer is not self._key:
            self._envelope = sign_body(self._key, encode(Finish(self._house.signing, actor, *message)))
        kind = Kind(KINDS[type_of(command)])
        self._command = Command(command_id(message.body), kind, message, command.not_after_ns, replica.size, now_ns)
        self._wake_ns = now_ns + VALID_NS + RETRY_NS
        return self._command

    def _transmit(self, command: Command, now_ns: int) -> None:
        if now_ns >= self._wake_ns:
            assert self.sent is not None
            self.ending = Unanswered(self.sent)
        elif self.is_welcome and now_ns >= command.send_at_ns:
            command.send_at_ns = now_ns + RETRY_NS
            assert self._envelope is not None
            self._outgoing.append(self._envelope)

    def _conclude(self, evidence: Evidence, now_ns: int) -> None:
        """The log itself shows what the command has changed: it is waited for, a little."""
        assert self.sent is not None
        replica = self.replica
        is_here = replica is not None and replica.is_verified and replica.size > evidence.receipt.index
        if is_here or now_ns >= self._wake_ns:
            self.ending = Done(self.sent, evidence)

    def _look_for_it(self) -> None:
        """Our own entry under a verified checkpoint is as good as a receipt, which may never come."""
        replica, command = self.replica, self._command
        fresh, self._fresh = self._fresh, []
        if command is None or replica is None or replica.head is None:
            return  # Nothing of ours can be among what came before it was sent.
        for applied in fresh:
            if applied.entry_index >= replica.head.size:
                self._fresh.append(applied)
            elif self._evidence is None and command_id(applied.entry.body) == command.id:
                self._evidence = prove_from_replica(replica, command.id, applied)

    def _receipted(self, receipts: Receipts, now_ns: int) -> None:
        replica, command = self.replica, self._command
        if receipts.auction != self._auction or replica is None or command is None or self._evidence is not None:
            return
        for receipted in receipts.receipts:
            if receipted.command == command.id:
                self._evidence, _ = check_receipt(self._house, replica, command, receipted, receipts.checkpoint)
                self._wake_ns = now_ns + FEED_PATIENCE_NS

    def _rejected(self, rejections: Rejections) -> None:
        for rejection in check_rejections(self._house, rejections):
            command, replica = self._command, self.replica
            if command is None or replica is None or rejection.command != command.id or self._evidence is not None:
                continue
            check_judgement(replica, command, rejection)
            assert self.sent is not None
            self.ending = Rejected(self.sent, rejection)

    def _refused(self, refused: Refused, now_ns: int) -> None:
        command = self._command
        is_gone = refused.code == "no_such_auction" and refused.command == self._auction
        # What is brought for a former key goes by the id of the command, or where that was not looked at, by its own.
        its_names = [command_id(each.body) for each in (self._envelope, command and command.message) if each]
        is_ours = refused.command in its_names
        # What is put off until the command has expired is refused for good, too.
        is_too_long = refused.code in PUT_OFF and now_ns + refused.retry_after_ns >= self._wake_ns
        if is_gone or (is_ours and (is_too_long or refused.code in FINAL_CODES)):
            self.ending = self.ending or Turned(refused.code, refused.message)
        elif command is not None and is_ours:
            command.send_at_ns = now_ns + (min(refused.retry_after_ns, MAX_BUSY_NS) or RETRY_NS)


def capacity_in(auction_seller: bytes, actor: bytes) -> Capacity:
    """As what ``actor`` acts who may be the seller of an auction, or else an operator of its house."""
    return Capacity.SELLER if actor == auction_seller else Capacity.OPERATOR
