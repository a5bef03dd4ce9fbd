"""What happened in one exported log, in order, for whoever draws it: its bids, its other entries, when it stood still.

Rule: entries go through the same rules as everywhere; the story of a log that breaks them ends before the entry that
does. Whether the log is to be believed is for :mod:`auctionctl.replica.audit` to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.commands import Pause, Resume
from auctionctl.auction.events import Gap, Left, Paused, Resumed
from auctionctl.cli.records import PlacedBid
from auctionctl.errors import LogError, VerificationError
from auctionctl.replica.audit import AUCTION_LOG, claimed_house
from auctionctl.replica.export import decode_export
from auctionctl.replica.replay import Applied, Replay, SignatureCheck
from auctionctl.tlog.checkpoint import split_origin
from auctionctl.wire.frames import is_signed_by


class Span(NamedTuple):
    """From when to when, in nanoseconds on the house's clock."""

    since_ns: int
    until_ns: int


@dataclass(slots=True)
class Story:
    """What happened; ``auction`` is the state that it came to."""

    auction: Auction
    bids: list[PlacedBid] = field(default_factory=list)
    others: list[Applied] = field(default_factory=list)
    """Every entry that is no bid."""
    halts: list[Span] = field(default_factory=list)
    """When nobody could bid, though the auction was open."""
    extended_ns: list[int] = field(default_factory=list)
    """The times of the bids that moved the end."""
    paused_ns: int | None = None
    """Since when it is paused, while it is."""

    @property
    def bidders(self) -> list[bytes]:
        """Whoever joined or bid (signing keys), in the order in which they did."""
        joined = [(each.entry_index, each.fact.bidder) for each in self.others if isinstance(each.fact, Join)]
        bid = [(placed.entry_index, placed.bid.bidder) for placed in self.bids]
        return list(dict.fromkeys(bidder for _, bidder in sorted(joined + bid)))


def story_of_verified(data: bytes, progress: Callable[[int, int], None]) -> Story:
    """The story of an exported log that was verified: its signatures are not checked a second time."""
    found = _tell(data, lambda _key, _body, _signature: True, progress)
    assert found is not None
    return found


def story_of_unverified(data: bytes, progress: Callable[[int, int], None]) -> Story | None:
    """As far as the entries of an exported log hold by themselves; None if not even its terms do."""
    try:
        return _tell(data, is_signed_by, progress)
    except LogError:
        return None


def _tell(data: bytes, is_signed: SignatureCheck, progress: Callable[[int, int], None]) -> Story | None:
    """Raises LogError for a file of another form, or of another log than an auction's."""
    house = claimed_house(data)
    export = decode_export(data)
    log = split_origin(export.checkpoint.decode().partition("\n")[0])[1]
    if not log.startswith(AUCTION_LOG):
        raise VerificationError("this is no log of an auction", rule="checkpoint")
    try:
        auction = bytes.fromhex(log.removeprefix(AUCTION_LOG))
    except ValueError as error:
        raise VerificationError("this is no name of an auction's log", rule="checkpoint") from error
    replay = Replay(house.signing, auction, is_signed)
    story: Story | None = None
    for index, entry in enumerate(export.entries):
        try:
            applied = replay.apply(entry)
        except VerificationError:
            break
        if story is None:
            story = Story(replay.state)
        _add(story, applied)
        if index % 1_000 == 0:
            progress(index, len(export.entries))
    return story


def _add(story: Story, applied: Applied) -> None:
    time_ns = applied.entry.time_ns
    match applied.fact:
        case Bid() as bid:
            story.bids.append(PlacedBid(applied.entry_index, time_ns, bid))
            if story.auction.extensions > len(story.extended_ns):
                story.extended_ns.append(time_ns)
            return
        case Pause() | Paused():
            story.paused_ns = time_ns
        case Resume() | Resumed() if story.paused_ns is not None:
            story.halts.append(Span(story.paused_ns, time_ns))
            story.paused_ns = None
        case Gap(since_ns=since_ns, until_ns=until_ns) if story.auction.opened_at_ns and not story.auction.ended_ns:
            story.halts.append(Span(since_ns, until_ns))
        case _:
            pass
    story.others.append(applied)


def visits(story: Story) -> dict[bytes, tuple[int, int | None]]:
    """Bidder (signing key) → when it joined last, and when it left after that, or None."""
    found: dict[bytes, tuple[int, int | None]] = {}
    for each in story.others:
        match each.fact:
            case Join(bidder=bidder):
                found[bidder] = (each.entry.time_ns, None)
            case Left(bidder=bidder):
                found[bidder] = (found[bidder][0], each.entry.time_ns)
            case _:
                pass
    return found
