"""What a house's logs were when this machine last saw them, for commands: people are told of what cannot be kept."""

from __future__ import annotations

from auctionctl.cli.output import write_note
from auctionctl.client import seen_logs
from auctionctl.client.seen_logs import FollowedLogs, Forgetful, Memory


class SeenLogs(seen_logs.SeenLogs):
    """The memory of :class:`auctionctl.client.seen_logs.SeenLogs`; its warnings are notes on stderr."""

    def _complain(self, words: str) -> None:
        write_note(f"warning: {words}")


__all__ = ["FollowedLogs", "Forgetful", "Memory", "SeenLogs"]
