"""Commands are judged as the page says: in its order, by its reasons, also those that no log can show.

A rejection is a house's signed word for the first reason that is true. Here each reason is written down once more, and
the tables of the page say which of them is the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import command_id
from auctionctl.auction.commands import MAX_COMMAND_TIME_NS, encode_command
from auctionctl.auction.phase import Phase, Stage
from auctionctl.auction.rejection import Code
from auctionctl.auction.rules import Cancellation
from auctionctl.cli.manual.log_commands import OF_OPERATORS, OF_THE_SALE, operator_refusals, sale_refusals


class Case(NamedTuple):
    """A command at a time, in an auction."""

    auction: Auction
    command: Any
    now_ns: int

    @property
    def is_late(self) -> bool:
        deadline_ns = self.auction.get_timer()
        return deadline_ns is not None and self.now_ns >= deadline_ns

    @property
    def stage(self) -> Stage | None:
        return None if self.auction.settlement is None else self.auction.settlement.stage

    @property
    def is_not_the_sellers(self) -> bool:
        return bool(self.command.actor != self.auction.terms.seller)

    @property
    def offered(self) -> tuple[Any, ...]:
        return (self.command.bidder, (self.command.amount_minor, self.command.bid_index))


REASONS: dict[Code, Callable[[Case], object]] = {
    Code.WRONG_HOUSE: lambda case: case.command.house != case.auction.terms.house,
    Code.COMMAND_REPEATED: lambda case: command_id(encode_command(case.command)) in case.auction._commands,
    Code.EXPIRED: lambda case: case.command.not_after_ns < case.now_ns,
    Code.NOT_AFTER_TOO_FAR: lambda case: case.command.not_after_ns > case.now_ns + MAX_COMMAND_TIME_NS,
    Code.CLOSED: lambda case: case.auction.phase is Phase.CLOSED or case.is_late,
    Code.NOT_OPEN: lambda case: case.auction.phase is Phase.ANNOUNCED,
    Code.PAUSED: lambda case: case.auction.phase is Phase.PAUSED,
    Code.PAUSES_USED_UP: lambda case: not case.auction.pauses.allows_another(),
    Code.NOT_PAUSED: lambda case: case.auction.phase is not Phase.PAUSED,
    Code.PAUSED_BY_TERMS: lambda case: case.auction.pauses.is_by_terms,
    Code.HAS_BIDS: lambda case: (
        case.auction.bid_count and case.auction.terms.rules.cancellation is Cancellation.BEFORE_FIRST_BID
    ),
    Code.NO_SALE: lambda case: case.stage is None,
    Code.SETTLED: lambda case: case.stage is Stage.SETTLED,
    Code.REVERTED: lambda case: case.stage is Stage.REVERTED or (case.stage is Stage.DEFAULTED and case.is_late),
    Code.DEFAULTED: lambda case: case.stage in (Stage.DEFAULTED, Stage.OFFERED) or case.is_late,
    Code.NOT_THE_WINNER: lambda case: case.command.actor != case.auction.settlement.debtor,  # type: ignore[union-attr]
    Code.ALREADY_PAID: lambda case: case.stage is Stage.PAID,
    Code.WRONG_AMOUNT: lambda case: (
        (case.command.amount_minor, case.command.currency)
        != (case.auction.settlement.price_minor, case.auction.terms.rules.currency)  # type: ignore[union-attr]
    ),
    Code.NOT_THE_SELLER: lambda case: (
        getattr(case.command, "capacity", "seller") == "seller" and case.is_not_the_sellers
    ),
    Code.NOT_PAID: lambda case: case.stage is not Stage.PAID,
    Code.WRONG_PAYMENT: lambda case: case.command.payment != case.auction.settlement.payment,  # type: ignore[union-attr]
    Code.NO_DEFAULT: lambda case: (
        case.stage is not Stage.DEFAULTED or not case.auction.settlement.next_bidder  # type: ignore[union-attr]
    ),
    Code.NOT_NEXT_BIDDER: lambda case: (
        case.offered != case.auction.settlement.next_bidder  # type: ignore[union-attr]
        or case.command.currency != case.auction.terms.rules.currency
    ),
    Code.NO_OFFER: lambda case: case.stage is not Stage.OFFERED or case.is_late,
    Code.NOT_OFFERED: lambda case: case.command.actor != case.auction.settlement.offered_to,  # type: ignore[union-attr]
    Code.WRONG_OFFER: lambda case: case.command.offer != case.auction.settlement.offer,  # type: ignore[union-attr]
}


def first_reason(case: Case) -> Code | None:
    """By the page: the first line of the table of its type that is true of it."""
    name = case.command.__struct_config__.tag
    table = operator_refusals(name) if name in OF_OPERATORS else sale_refusals(name)
    return next((code for code, _ in table if REASONS[code](case)), None)


def test_the_first_reason_of_the_page_is_the_code_of_the_rejection(
    staging: Any, plays: Any, candidates: Any, *, states: Any, rules: Any
) -> None:
    codes: Counter[Code | None] = Counter()
    for play in (*plays.PAUSES.values(), *plays.SALES.values()):
        stage = staging.Stage()
        auction = plays.perform(stage, staging, play)
        entries, house = tuple(stage.data(auction)), stage.key.identity.signing
        for size in range(5 if codes else 1, len(entries) + 1):
            table = candidates.Candidates(staging, plays, house, states.Pair(house, auction, rules, entries[:size]))
            if table.state.must_follow is not None:
                continue  # A house has said that before it judges anything.
            for time_ns in table.times[1::2]:
                for _, command in table.odd_commands(time_ns, (*OF_OPERATORS, *OF_THE_SALE)):
                    case = Case(table.state, command, time_ns)
                    refusal = table.state.decide_command(command, command_id(encode_command(command)), time_ns)
                    code = None if refusal is None else refusal.code
                    assert code == first_reason(case), (command, time_ns)
                    codes[code] += 1
    assert set(codes) == {None, *REASONS} - {Code.COMMAND_REPEATED}
    assert sum(codes.values()) > 20_000
