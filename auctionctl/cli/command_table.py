"""Which commands there are: name, module and summary, as data; a command's module is loaded when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Final

import typer

_CUT: Final = "..."

if TYPE_CHECKING:
    from typer.core import TyperCommand, TyperGroup

COMMANDS: Final = {
    "demo": "auctionctl.cli.demo",
    "init": "auctionctl.cli.init",
    "keygen": "auctionctl.cli.keys",
    "key": "auctionctl.cli.keys",
    "allow": "auctionctl.cli.allow",
    "context": "auctionctl.cli.context",
    "config": "auctionctl.cli.config",
    "doctor": "auctionctl.cli.doctor",
    "serve": "auctionctl.cli.serve",
    "open": "auctionctl.cli.open",
    "ls": "auctionctl.cli.ls",
    "show": "auctionctl.cli.show",
    "bidders": "auctionctl.cli.bidders",
    "result": "auctionctl.cli.result",
    "events": "auctionctl.cli.events",
    "watch": "auctionctl.cli.watch",
    "status": "auctionctl.cli.status",
    "top": "auctionctl.cli.top",
    "peers": "auctionctl.cli.peers",
    "bid": "auctionctl.cli.bid",
    "wallet": "auctionctl.cli.wallet",
    "strategies": "auctionctl.cli.strategies",
    "pay": "auctionctl.cli.settle",
    "settle": "auctionctl.cli.settle",
    "reject-payment": "auctionctl.cli.settle",
    "offer": "auctionctl.cli.settle",
    "accept": "auctionctl.cli.settle",
    "decline": "auctionctl.cli.settle",
    "pause": "auctionctl.cli.operate",
    "resume": "auctionctl.cli.operate",
    "cancel": "auctionctl.cli.operate",
    "export": "auctionctl.cli.export",
    "verify": "auctionctl.cli.verify",
    "report": "auctionctl.cli.report",
    "evidence": "auctionctl.cli.cases",
    "backup": "auctionctl.cli.backup",
    "restore": "auctionctl.cli.restore",
    "simulate": "auctionctl.cli.simulate",
    "replay": "auctionctl.cli.replay",
    "bench": "auctionctl.cli.bench",
    "completion": "auctionctl.cli.completion.command",
}
"""Command → the module whose ``app`` holds it, in the order of the help text."""

SUMMARIES: Final = {
    "demo": "Watch a house and three bidders sell three lots at once; every log is then...",
    "init": "Make directories, commented files of settings and a key, where they are...",
    "keygen": "Make a new key; its public half is written to stdout, for the house's allow...",
    "key": "Look at keys, carry them, remove them.",
    "allow": "Say whom the house lets in.",
    "context": "Name houses, and choose one of them.",
    "config": "See what is set, and by whom.",
    "doctor": "Check libraries, directories, files, keys, the port, the clock, houses and...",
    "serve": "Run a house: announce the lots of a file, take bids, sign receipts; resumes...",
    "open": "Offer a lot to a house as its seller; the same lot again finds the auction...",
    "ls": "List the auctions of a house: phase, price, leader, bids, time left.",
    "show": "Show one auction: its terms, its state, its bids, and the head of its log...",
    "bidders": "List whom a house lets in, in which role, and with which reputation, by its...",
    "result": "Say how an auction ended: exit status 0 if it was sold, 11 if it ended...",
    "events": "Write the entries of an auction's log, verified, or a house's own security...",
    "watch": "Follow auctions until they have ended: a live board on a terminal, a line an...",
    "status": "Say how a house is: what keeps it from its work, if anything, its clock, its...",
    "top": "Watch how a house works, as its operator: where requests spend their time,...",
    "peers": "List who is connected to a house, as its operator: address, round trip, how...",
    "bid": "Bid by a strategy until the auctions have ended, or once, an amount; 0 if a...",
    "strategies": "Look at the strategies of bidders.",
    "wallet": "Show what your bidder has tied up where, of its budget: leading, unanswered,...",
    "pay": "Say, as the winner, that the price is paid; the seller then settles the sale,...",
    "settle": "Say, as the seller or an operator, that the payment has come: the sale is...",
    "reject-payment": "Say, as the seller or an operator, that the payment has not come: the winner...",
    "offer": "Offer, as the seller, a lot that was not paid for to the next bidder, at its...",
    "accept": "Buy, as the bidder to whom it was offered, a lot that the winner did not pay...",
    "decline": "Say, as the bidder to whom it was offered, that you do not buy the lot.",
    "pause": "Have an open auction stand still, as its operator; its end moves by as long...",
    "resume": "Have an auction go on that an operator paused.",
    "cancel": "Call an auction off, as its operator: before the first bid, or where its...",
    "export": "Write the verified log of an auction, or the registry, to a file that anybody...",
    "verify": "Check a log or a receipt: signatures, times, tree, checkpoint, and every rule...",
    "report": "Write a page about one auction: terms, result, prices, bids, bidders, and...",
    "evidence": "Look at what proves a broken word.",
    "backup": "Write every log of a house to one file, verified; one that runs is read as an...",
    "restore": "Make the state of a house from a backup, every entry verified; the state...",
    "simulate": "Hold thousands of auctions under a virtual clock: revenue, efficiency,...",
    "replay": "Put a recorded tape of bids through the rules under other terms: accepted,...",
    "bench": "Measure the house on this machine, as a ratio to bare signature verification.",
    "completion": "Write the script by which a shell completes command lines to stdout.",
}
"""Command → its help in 80 characters, for completion, which loads no command to describe it; a test compares them."""


def summaries(limit: int) -> list[tuple[str, str]]:
    """Every command with what it is for, in at most ``limit`` characters (80 at the most), cut between words."""
    return [(name, _shortened(SUMMARIES[name], limit)) for name in COMMANDS]


def _shortened(words: str, limit: int) -> str:
    if len(words) <= limit:
        return words
    kept = words[: max(0, limit - len(_CUT)) + 1].rpartition(" ")[0]
    return kept + _CUT


class LazyCommands(MutableMapping[str, Any]):
    """The commands by name, each loaded when it is first looked at; a mapping such as Typer keeps."""

    def __init__(self, modules: dict[str, str]) -> None:
        self._modules = modules
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._loaded:
            group = typer.main.get_group(importlib.import_module(self._modules[name]).app)
            self._loaded[name] = group.commands[name]
        command: TyperCommand | TyperGroup = self._loaded[name]
        return command

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
