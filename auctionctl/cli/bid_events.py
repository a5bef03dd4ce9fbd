"""What an agent does and what comes of it: a line or an object an event, receipts on disk, a summary at the end.

With a log (``--log-format``) each event is a record of it, in place of the line for people.

Rule: a receipt is durable on disk before its line is written, so that whoever reads ``accepted`` can show proof.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from auctionctl.auction.phase import Stage
from auctionctl.auction.price import Money, format_minor
from auctionctl.bidding.notices import (
    WAIT_WORDS,
    AgentNotice,
    AuctionContinued,
    AuctionPaused,
    BidAccepted,
    BidPlaced,
    BidRejected,
    Ended,
    Joined,
    JoinRejected,
    Outbid,
    Outcome,
    PausedBy,
    Result,
    Resumed,
    SaleTurned,
    Skipped,
    Waiting,
    WaitReason,
)
from auctionctl.bidding.totals import Totals
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.output import Form, write_document, write_fields, write_note, write_table
from auctionctl.cli.process_log import ProcessLog
from auctionctl.cli.records import amount, clock_time, observed_words
from auctionctl.client.receipts import ReceiptFiles
from auctionctl.replica.follower import ClockOff
from auctionctl.replica.replica import Replica
from auctionctl.views.auction_row import STAGE_WORDS, Names, name_of
from auctionctl.views.log_line import Level, LogForm
from auctionctl.views.peer_text import safe_text
from auctionctl.wire.messages import Refused

SCHEMA: Final = "auctionctl.bid/1"
ARCHIVED_HINT: Final = "ask its operator for the file of that auction, and check it with auctionctl verify"
REFUSED_WORDS: Final = (
    "the house lets you take no part: your reputation is less than the terms ask for: auctionctl bidders shows why"
)
HALTED_WORDS: Final = "the house has halted this auction: its log is not what it had signed before"
SUMMARY_COLUMNS: Final = ("lot", "auction", "result", "price", "my bids", "end", "winner")
_KEYS: Final = ("leader", "winner")
_RESULT_WORDS: Final = {
    Result.WON: "won",
    Result.LOST: "lost",
    Result.NO_SALE: "no sale",
    Result.UNKNOWN: "unknown",
    Result.HALTED: "halted",
    Result.REFUSED: "refused",
}


LEVELS: Final = MappingProxyType(
    {
        **dict.fromkeys(("rejected", "join_rejected"), Level.WARNING),
        **dict.fromkeys(("ended", "sale", "skipped", "resumed"), Level.NOTICE),
    }
)
"""How grave an event is; what is not here is INFO."""


class Detail(enum.Enum):
    """What people are told of; programs get every event."""

    MATTERS = "matters"
    """What changes where the bidder stands, or needs somebody's attention."""
    EVERYTHING = "everything"


class BidEvents:
    """Writes the notices of one agent, in ``form``; ``replicas`` are the agent's, ``receipts`` a directory.

    ``names`` are what people read for keys; ``log`` gets what people would read.
    """

    def __init__(
        self,
        replicas: Mapping[bytes, Replica],
        receipts: Path,
        form: Form,
        budget: Money,
        names: Names,
        *,
        detail: Detail = Detail.EVERYTHING,
        log: ProcessLog | None = None,
    ) -> None:
        self._replicas = replicas
        self._receipts = ReceiptFiles(receipts)
        self._form = form
        self._log = log
        is_for_programs = form.is_json or (log is not None and log.form is LogForm.JSON)
        self._is_quiet = detail is Detail.MATTERS and not is_for_programs
        self._currency = budget.currency
        self._names = names

    def handle(self, notice: AgentNotice) -> None:
        """Keep what has to be kept, and write what is worth writing."""
        match notice:
            case Joined(auction=auction, evidence=evidence):
                path = self._receipts.keep_join(self.listing_of(auction), evidence)
                if not self._is_quiet:
                    self._write("joined", auction, {"index": evidence.receipt.index, "receipt": str(path)})
            case BidPlaced() if self._is_quiet:
                pass  # What becomes of it is told.
            case Waiting(reason=WaitReason.PATIENCE) if self._is_quiet:
                pass
            case BidPlaced():
                self._write("placed", notice.auction, self._bid(notice.seq, notice.amount_minor))
            case BidAccepted():
                money = Money(notice.amount_minor, self._currency)
                path = self._receipts.keep_bid(self.listing_of(notice.auction), notice.seq, money, notice.evidence)
                index = {"index": notice.evidence.receipt.index, "receipt": str(path)}
                self._write("accepted", notice.auction, self._bid(notice.seq, notice.amount_minor) | index)
            case BidRejected():
                observed = {"code": notice.code, "rule": notice.rule, "observed": dict(notice.observed)}
                self._write("rejected", notice.auction, self._bid(notice.seq, notice.amount_minor) | observed)
            case JoinRejected():
                refusal = {
                    "code": notice.rejection.code,
                    "rule": notice.rule,
                    "observed": dict(notice.rejection.observed),
                }
                self._write("join_rejected", notice.auction, refusal)
            case Waiting():
                why = {"reason": notice.reason.value, "rule": WAIT_WORDS[notice.reason]}
                self._write("waiting", notice.auction, why | {"observed": dict(notice.observed)})
            case Resumed():
                self._write("resumed", notice.auction, self._resumed(notice))
            case Outbid():
                price = amount(notice.price_minor, self._currency)
                self._write("outbid", notice.auction, {"price": price, "leader": notice.leader.hex()})
            case AuctionPaused():
                self._write("paused", notice.auction, self._pause(notice, notice.resume_by_ns))
            case AuctionContinued():
                self._write("continued", notice.auction, self._pause(notice, notice.end_ns))
            case SaleTurned():
                self._write("sale", notice.auction, self._sale(notice))
            case Skipped():
                self._write("skipped", notice.auction, {"reason": notice.reason})
            case Ended():
                self._write("ended", notice.auction, self._outcome(notice.auction, notice.outcome))
            case ClockOff(ahead_ns=ahead_ns) if self._form.is_json:
                write_document(SCHEMA, {"event": "clock_off", "ahead_ns": ahead_ns})
            case Refused():
                write_note(f"the house refused a message: {notice.code}: {safe_text(notice.message, 300)}")
            case _:
                pass

    def status(self, outcomes: Mapping[bytes, Outcome]) -> ExitStatus:
        """Whether at least one lot is ours; but if an auction was halted, that is what matters."""
        results = {outcome.result for outcome in outcomes.values()}
        if Result.HALTED in results:
            return ExitStatus.VERIFICATION_FAILED
        return ExitStatus.OK if Result.WON in results else ExitStatus.BID_LOST

    def write_summary(self, outcomes: Mapping[bytes, Outcome], totals: Totals) -> None:
        """Every auction and how it ended for us, as far as that is known, and what they come to."""
        for auction, outcome in outcomes.items():
            name = self.listing_of(auction) or auction.hex()[:12]
            if outcome.result is Result.UNKNOWN:
                write_note(f"the house has archived {name}, and how it ended is unknown: {ARCHIVED_HINT}")
            if outcome.result is Result.HALTED:
                write_note(f"{name}: {HALTED_WORDS}; what was bid there stays tied up")
            if outcome.result is Result.REFUSED:
                write_note(f"{name}: {REFUSED_WORDS}")
            if outcome.result is Result.WON and outcome.due_ns is not None:
                due = clock_time(outcome.due_ns)
                write_note(f"{name} is to be paid for by {due}: auctionctl pay {name} --reference TEXT")
        if self._form.is_json:
            lots = [
                {"auction": auction.hex(), **self._outcome(auction, outcome)} for auction, outcome in outcomes.items()
            ]
            write_document(SCHEMA, {"event": "summary", "auctions": lots, **_totals_record(totals)})
            return
        rows = [
            (
                self._title(auction),
                auction.hex()[:12],
                _RESULT_WORDS[outcome.result],
                "" if outcome.price_minor is None else format_minor(outcome.price_minor, self._currency),
                str(len(outcome.bids)),
                outcome.end_reason if outcome.stage is None else f"{outcome.end_reason}, {STAGE_WORDS[outcome.stage]}",
                "" if (winner := self._winner(auction)) is None else name_of(winner, self._names),
            )
            for auction, outcome in outcomes.items()
        ]
        write_table(self._form, SUMMARY_COLUMNS, rows)
        write_fields(_totals_words(totals))
        if any(outcome.bids for outcome in outcomes.values()):
            write_note(f"receipts: {self._receipts.directory}, a directory an auction")

    def _bid(self, seq: int, amount_minor: int) -> dict[str, object]:
        return {"seq": seq, "amount": amount(amount_minor, self._currency)}

    def _outcome(self, auction: bytes, outcome: Outcome) -> dict[str, object]:
        winner = self._winner(auction)
        return {
            "result": outcome.result.value,
            "end_reason": outcome.end_reason,
            "price": amount(outcome.price_minor, self._currency),
            "bids": len(outcome.bids),
            "winner": None if winner is None else winner.hex(),
            "stage": None if outcome.stage is None else outcome.stage.value,
            "due_ns": outcome.due_ns,
        }

    def _pause(self, notice: AuctionPaused | AuctionContinued, until_ns: int) -> dict[str, object]:
        words = safe_text(notice.words, 200) if notice.words else None
        return {"cause": notice.cause.value, "words": words, "until_ns": until_ns}

    def _sale(self, turned: SaleTurned) -> dict[str, object]:
        is_owed = turned.is_ours and turned.stage in (Stage.PENDING_PAYMENT, Stage.OFFERED)
        return {
            "stage": turned.stage.value,
            "is_ours": turned.is_ours,
            "price": amount(turned.price_minor, self._currency),
            "due_ns": turned.by_ns if is_owed else None,
        }

    def _resumed(self, notice: Resumed) -> dict[str, object]:
        last = notice.bids[-1]
        return self._bid(last.seq, last.amount_minor) | {
            "index": last.entry_index,
            "earlier_bids": len(notice.bids),
            "is_leading": notice.is_leading,
        }

    def _write(self, event: str, auction: bytes, record: Mapping[str, object]) -> None:
        about = {"auction": auction.hex(), "listing": self.listing_of(auction)}
        if self._form.is_json:
            write_document(SCHEMA, {"event": event, **about, **record})
        if self._log is None and self._form.is_json:
            return
        words = [event, about["listing"] or auction.hex()[:12], *self._words(record)]
        if self._log is None:
            write_fields(words)
        else:
            self._log.write(LEVELS.get(event, Level.INFO), event, "  ".join(words), about | dict(record))

    def _winner(self, auction: bytes) -> bytes | None:
        state = self._replicas[auction].replay.auction if auction in self._replicas else None
        sale = None if state is None else state.sale
        return None if sale is None else sale.leader

    def _words(self, record: Mapping[str, object]) -> list[str]:
        told = {name: value for name, value in record.items() if value is not None}
        words = [
            self._named(value) if name in _KEYS else _WORDS[name](value)
            for name, value in told.items()
            if name in _KEYS or name in _WORDS
        ]
        observed = record.get("observed")
        if isinstance(observed, dict) and observed:
            words.append(observed_words(observed, self._currency))
        return words

    def _named(self, value: object) -> str:
        return name_of(bytes.fromhex(str(value)), self._names)

    def listing_of(self, auction: bytes) -> str:
        """What the auction is called at this house; empty before that is known."""
        state = self._replicas[auction].replay.auction if auction in self._replicas else None
        return "" if state is None else state.terms.listing

    def _title(self, auction: bytes) -> str:
        state = self._replicas[auction].replay.auction if auction in self._replicas else None
        return auction.hex()[:12] if state is None else state.terms.lot.title


def _totals_record(totals: Totals) -> dict[str, object]:
    amounts = {
        "budget": totals.budget_minor,
        "spent": totals.spent_minor,
        "tied_up": totals.tied_up_minor,
        "saved": totals.saved_minor,
    }
    counts = {"won": totals.won, "lost": totals.lost, "other": totals.other}
    return counts | {name: amount(minor, totals.currency) for name, minor in amounts.items()}


def _totals_words(totals: Totals) -> list[str]:
    spent, saved, tied_up = (
        format_minor(minor, totals.currency) for minor in (totals.spent_minor, totals.saved_minor, totals.tied_up_minor)
    )
    words = [f"won {totals.won}", f"lost {totals.lost}"]
    words += [f"other {totals.other}"] if totals.other else []
    words.append(f"spent {spent}")
    words += [f"tied up {tied_up}"] if totals.tied_up_minor else []
    return ["total", *words, f"saved {saved} of {format_minor(totals.budget_minor, totals.currency)}"]


def _money_words(value: object) -> str:
    assert isinstance(value, dict)
    return format_minor(value["minor"], value["currency"])


_CAUSE_WORDS: Final = {
    PausedBy.OPERATOR: "by an operator",
    PausedBy.TERMS: "by its terms",
    PausedBy.CAP: "as long as its terms allow",
}

_WORDS: Final[dict[str, Callable[[object], str]]] = {
    "amount": _money_words,
    "price": _money_words,
    "index": lambda value: f"entry {value}",
    "code": str,
    "rule": str,
    "reason": str,
    "result": lambda value: str(value).replace("_", " "),
    "end_reason": str,
    "earlier_bids": lambda value: f"{value} of an earlier run",
    "is_leading": lambda value: "leading" if value else "outbid",
    "cause": lambda value: _CAUSE_WORDS[PausedBy(str(value))],
    "words": str,
    "stage": lambda value: STAGE_WORDS[Stage(str(value))],
    "is_ours": lambda value: "ours" if value else "not ours",
    "until_ns": lambda value: f"until {clock_time(int(str(value)))}",
    "due_ns": lambda value: f"by {clock_time(int(str(value)))}",
}
"""Field of an event → how a person reads it; other fields are for programs."""
