"""What the current batch owes to sessions besides receipts, and the release of it all (DESIGN.md section 7).

Rule: nothing of it is said before the batch is durable; then the feed goes first. What a rolled-back batch owed is
forgotten: its senders try again. All that they hear is that there was no room for their commands, and not even that of
a command which an earlier batch has written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.answers import catalogue_page, sign_rejections
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Conflict, Effect, Fetch, Page, Publish, Send
from auctionctl.house.intake import Request, refused
from auctionctl.house.log import HouseLog
from auctionctl.house.metrics import Tally
from auctionctl.house.registry import RegistryLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.tlog.heads import sign_heads
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Receipts, Rejection, acknowledge, encode

FULL_RETRY_NS: Final = SECOND_NS
"""When to ask again whether there is room."""


def no_room(command: bytes) -> Message:
    """To whoever sent ``command``, of which nothing is written."""
    return refused("store_full", "this house has no room to write this", command, FULL_RETRY_NS)


class Outbox:
    """Rejections, and questions about logs and the catalogue: of those, the last one of each session counts."""

    def __init__(self, key: SecretKey, tally: Tally) -> None:
        self._key = key
        self._tally = tally
        self._rejections: list[tuple[int, bytes]] = []
        self._conflicts: list[Conflict] = []
        self._reads: dict[tuple[int, bytes], tuple[HouseLog, int]] = {}
        self._pages: dict[int, int] = {}
        self._commands: list[tuple[int, bytes, bytes]] = []

    def note_command(self, session: int, command: bytes, auction: bytes) -> None:
        """``session`` has sent ``command`` (its id) for ``auction``, and what comes of it is in this batch."""
        self._commands.append((session, command, auction))

    def reject(self, request: Request, log: AuctionLog, command: bytes, refusal: Refusal, now_ns: int) -> None:
        """The sender gets to know why the rules refuse its command, signed together with the others of the batch."""
        house = self._key.identity.signing
        judged = (log.auction.size, now_ns)
        rejection = Rejection(house, log.id, command, refusal.code, refusal.observed, *judged)
        self._rejections.append((request.session, encode(rejection)))
        self._tally.rejected[refusal.code] += 1
        if refusal.code is Code.SEQUENCE_CONFLICT:
            seq = dict(refusal.observed)["seq"]
            message = Message(request.body, request.signature)
            self._conflicts.append(Conflict(log.name, request.signer, seq, message, now_ns))

    def ask_entries(self, session: int, log: HouseLog, start: int) -> None:
        """``session`` wants the entries of ``log`` from ``start`` on."""
        self._reads[session, log.id] = (log, start)

    def ask_page(self, session: int, start: int) -> None:
        """``session`` wants the catalogue from ``start`` on."""
        self._pages[session] = start

    def refuse_all(self, logs: Mapping[bytes, AuctionLog]) -> list[Effect]:
        """Nothing of the batch was written, and nothing is answered; but refused is what is not in ``logs`` by now."""
        lacking = [
            Send(session, no_room(command))
            for session, command, auction in dict.fromkeys(self._commands)
            if auction not in logs or command not in logs[auction].commands
        ]
        self._forget()
        return list(lacking)

    def move_all(self, logs: Mapping[bytes, AuctionLog], move: Callable[[bytes, bytes], Message]) -> list[Effect]:
        """As :meth:`refuse_all`, where another instance may have been faster: ``move`` says where to go.

        It is given the log and the command.
        """
        lost = [
            Send(session, move(REGISTRY_ID if auction == command else auction, command))
            for session, command, auction in dict.fromkeys(self._commands)
            if auction not in logs or command not in logs[auction].commands
        ]
        self._forget()
        return list(lost)

    def _forget(self) -> None:
        self._commands.clear()
        self._rejections.clear()
        self._conflicts.clear()
        self._reads.clear()
        self._pages.clear()

    def release(
        self, registry: RegistryLog, changed: Collection[AuctionLog], catalogue: Callable[[], Sequence[AuctionLog]]
    ) -> list[Effect]:
        """Everything is durable: sign the heads of what has changed, and say it all; ``catalogue`` is asked for it."""
        logs: tuple[HouseLog, ...] = (registry, *changed)
        moved = [log for log in logs if log.needs_head and log.tree.size]
        for log, note in zip(moved, sign_heads([log.head for log in moved], self._key), strict=True):
            log.put_head(note)
        receipts: dict[int, list[Receipts]] = {}
        acknowledged: list[bytes] = []
        feed: list[Effect] = [Publish(registry.id, Message(encode(piece))) for piece in registry.release_feed()]
        for log in changed:
            slices, owed = log.release()
            if slices:
                feed += [Publish(log.id, Message(encode(entries))) for entries in slices]
            for session, its_receipts in owed:
                receipts.setdefault(session, []).append(its_receipts)
                acknowledged += [log.id] * len(its_receipts.receipts)
        self._tally.acknowledge(acknowledged)
        for session, its in receipts.items():
            feed += [Send(session, Message(encode(part))) for part in acknowledge(its)]
        return feed + self._answers(registry, catalogue)

    def _answers(self, registry: RegistryLog, catalogue: Callable[[], Sequence[AuctionLog]]) -> list[Effect]:
        answers = sign_rejections(self._key, self._rejections) if self._rejections else []
        answers += [
            Fetch(session, log.name, log.id, start, log.sign_head(), log.tree.size)
            for (session, _), (log, start) in self._reads.items()
        ]
        auctions = catalogue() if self._pages else ()
        answers += [
            Page(session, Message(encode(catalogue_page(auctions, registry, start))))
            for session, start in self._pages.items()
        ]
        # Last of all: whoever keeps them looks for the other bid among what is durable.
        answers += self._conflicts
        self._forget()
        return answers
