"""``bid --amount``: one bid, its receipt or its refusal; or, with ``--dry-run``, what the rules would say to it.

Rule: the receipt is durable on disk before anything is written; where it is not known what became of a bid, that is
said, with the time after which it cannot be accepted any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, assert_never

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.price import Money
from auctionctl.auction.rejection import RULES, Code
from auctionctl.auction.terms import Terms
from auctionctl.bidding.caps import CapOf
from auctionctl.bidding.notices import AgentNotice, BidAccepted, BidPlaced, BidRejected, Joined
from auctionctl.bidding.once import (
    Accepted,
    Ending,
    Exactly,
    Halted,
    NotHeard,
    NotOpened,
    OneBid,
    Over,
    Rejected,
    StandsStill,
    Unanswered,
    Void,
    amount_minor,
    check_cap,
    judge,
)
from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.bid_events import HALTED_WORDS
from auctionctl.cli.bidder import bounds, drive, find_auctions, fresh_nonces
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.observer import read_auction
from auctionctl.cli.options import AtHouse
from auctionctl.cli.output import write_document, write_facts, write_note
from auctionctl.cli.records import amount as amount_record
from auctionctl.cli.records import clock_time, observed_words
from auctionctl.cli.seen_logs import SeenLogs
from auctionctl.client.bid_journal import BidJournal
from auctionctl.client.kept_session import alone
from auctionctl.client.receipts import ReceiptFiles
from auctionctl.client.wish import Wish, parse_wish
from auctionctl.errors import NotAuthorisedError
from auctionctl.keys.allowlist import Role
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import Registry
from auctionctl.views.peer_text import safe_text
from auctionctl.wire.messages import Refused

SCHEMA: Final = "auctionctl.bid/1"


class Answer(msgspec.Struct, frozen=True):
    """What came of it, for programs and for people."""

    status: ExitStatus
    record: dict[str, object]
    facts: list[tuple[str, str]]


def read_amount(text: str) -> Wish:
    """``12.50EUR``, ``+5.00EUR`` or ``min``. Raises ArgumentError."""
    with argument("--amount"):
        return parse_wish(text)


class Order(NamedTuple):
    """``wish`` is to be bid in the auction that ``wanted`` names, but no more than ``max_per_auction``, if given."""

    wanted: str
    wish: Wish
    max_per_auction: str | None = None

    def bounds(self, at: AtHouse, terms: Terms) -> CapOf:
        """What bounds the bid under ``terms``. ArgumentError for a wish that is in another currency, or beyond it."""
        currency = terms.rules.currency
        if self.wish.currency not in (None, currency):
            raise ArgumentError(
                f"--amount: it is in {self.wish.currency}, and the auction {terms.listing} is in {currency}"
            )
        cap_of = bounds(at.paths, self.max_per_auction, currency)
        if isinstance(self.wish.amount, Exactly):
            with argument("--amount"):
                check_cap(self.wish.amount.minor, terms, cap_of)
        return cap_of


def bid_once(at: AtHouse, order: Order, wait_ns: int) -> ExitStatus:
    """Bid as ``order`` says, and tell what came of it. Errors: as of any bidder."""
    address, secret = at.address(), at.secret()
    with alone(at.paths, secret):
        journal = BidJournal(at.paths, secret.identity, address.identity)
        ((auction, terms),) = find_auctions(address, secret, [order.wanted]).items()
        cap_of = order.bounds(at, terms)
        if terms.seller == secret.identity.signing:
            return _write(at, terms, _refused(Code.OWN_AUCTION, {}, terms, {}))
        earlier, refused = journal.hand_in(lambda bid: (bid.auction, bid.currency) == (auction, terms.rules.currency))
        if earlier:
            write_note("a bid of an earlier run may yet be accepted: what became of it is found out first")
        memory = SeenLogs(at.paths, address.identity)
        agent = OneBid(
            secret,
            address.identity,
            auction,
            order.wish.amount,
            currency=terms.rules.currency,
            nonces=fresh_nonces(),
            wait_ns=wait_ns,
            earlier=earlier,
            refused=refused,
            heads_of=memory.heads_of,
            cap_of=cap_of,
        )
        keeper = _Keeper(ReceiptFiles(at.paths.receipts), terms)
        try:
            drive(agent, address, secret, keeper.handle, journal=journal, memory=memory)
        except KeyboardInterrupt:
            keeper.warn()
            raise
        assert agent.ending is not None
        status = _write(at, terms, _answer(agent.ending, keeper.path, auction, terms, agent.replica.replay.auction))
        # Only now: whoever was not told of an answer asks again, and has to get the same one.
        journal.forget_decided(agent.wallet)
        return status


class _Keeper:
    """Keeps the receipts; ``path`` is that of the bid."""

    def __init__(self, files: ReceiptFiles, terms: Terms) -> None:
        self.path = ""
        self._placed: BidPlaced | None = None
        self._files = files
        self._terms = terms

    def warn(self) -> None:
        """To be told to whoever does not wait for the answer."""
        if self._placed is not None:
            write_note(f"the bid was sent, and may be accepted until {clock_time(self._placed.not_after_ns)}")

    def handle(self, notice: AgentNotice) -> None:
        listing = self._terms.listing
        match notice:
            case Joined():
                self._files.keep_join(listing, notice.evidence)
            case BidPlaced():
                self._placed = notice
            case BidRejected():
                self._placed = None
            case BidAccepted():
                self._placed = None
                money = Money(notice.amount_minor, self._terms.rules.currency)
                self.path = str(self._files.keep_bid(listing, notice.seq, money, notice.evidence))
            case Refused():
                write_note(f"the house refused a message: {notice.code}: {safe_text(notice.message, 300)}")
            case _:
                pass


def judge_once(at: AtHouse, order: Order) -> ExitStatus:
    """What the rules would say to ``order`` now, by a verified copy of the log; nothing is sent."""
    secret: SecretKey = at.secret()
    observer, replica = read_auction(at, order.wanted)
    _check_role(observer.registry, secret)
    auction = replica.replay.state
    terms = auction.terms
    cap_of = order.bounds(at, terms)
    minor = amount_minor(order.wish.amount, auction)
    check_cap(minor, terms, cap_of)
    me, now_ns = secret.identity.signing, observer.house_now_ns
    refusal = judge(auction, me, minor, now_ns, observer.registry.reputations.ppm(me, now_ns))
    basics = {
        "auction": auction.id.hex(),
        "amount": amount_record(minor, terms.rules.currency),
        "log_size": auction.size,
    }
    bid = [("amount", str(Money(minor, terms.rules.currency)))]
    if refusal is None:
        facts = [("bid", "would be accepted, as things are; nothing was sent"), *bid]
        return _write(at, terms, Answer(ExitStatus.OK, {"event": "acceptable", **basics}, facts))
    answer = _refused(refusal.code, dict(refusal.observed), terms, basics)
    facts = [("bid", "would be rejected, as things are; nothing was sent"), *bid, *answer.facts[1:]]
    if refusal.code is Code.NOT_OPEN:
        joined = len(auction.present | {secret.identity.signing})
        facts.append(("bidders", f"{joined} of {terms.rules.min_bidders}, you among them"))
    return _write(at, terms, Answer(answer.status, answer.record | {"event": "unacceptable"}, facts))


def _check_role(registry: Registry, secret: SecretKey) -> None:
    """The rules of an auction know nothing of roles; the house would refuse the session. NotAuthorisedError."""
    member = registry.members.get(secret.identity.signing)
    if member is not None and Role.BIDDER not in member.role.split("+"):
        raise NotAuthorisedError(
            f"{safe_text(member.name)} is admitted as {member.role}, not as bidder",
            hint="the house's operator lets you bid with: auctionctl allow add KEY NAME --role bidder --replace",
        )


def _write(at: AtHouse, terms: Terms, answer: Answer) -> ExitStatus:
    if at.form.is_json:
        write_document(SCHEMA, {"listing": terms.listing, **answer.record})
    else:
        write_facts([*answer.facts[:1], ("auction", terms.listing), *answer.facts[1:]])
    return answer.status


def _refused(
    code: str, observed: Mapping[str, int], terms: Terms, more: Mapping[str, object], rule: str | None = None
) -> Answer:
    words = rule or (RULES[Code(code)] if code in set(Code) else "")
    record: dict[str, object] = {"event": "rejected", **more, "code": code, "rule": words, "observed": observed}
    facts = [("bid", "rejected"), ("rule", f"{code}: {words}" if words else code)]
    if observed:
        facts.append(("observed", observed_words(observed, terms.rules.currency)))
    return Answer(ExitStatus.REJECTED, record, facts)


def _answer(ending: Ending, path: str, auction: bytes, terms: Terms, state: Auction | None) -> Answer:
    currency = terms.rules.currency
    basics: dict[str, object] = {"auction": auction.hex()}
    match ending:
        case Accepted():
            return _accepted(ending, path, terms, state)
        case Rejected(notice):
            rejection = notice.rejection
            more = basics | {"log_size": rejection.log_size, "time_ns": rejection.time_ns}
            if isinstance(notice, BidRejected):
                more |= {"seq": notice.seq, "amount": amount_record(notice.amount_minor, currency)}
            return _refused(rejection.code, dict(rejection.observed), terms, more, notice.rule)
        case Over(outcome):
            answer = _refused(Code.CLOSED, {}, terms, basics | {"end_reason": outcome.end_reason})
            return Answer(answer.status, answer.record, [*answer.facts, ("end", outcome.end_reason)])
        case NotOpened(joined, needed):
            words = f"not made: the auction has not opened in time; {joined} of {needed} bidders have joined"
            record = {"event": "not_opened", **basics, "joined": joined, "needed": needed}
            return Answer(ExitStatus.UNFINISHED, record, [("bid", words)])
        case StandsStill(resume_by_ns):
            words = f"not made: the auction is paused, until {clock_time(resume_by_ns)} at the latest"
            record = {"event": "paused", **basics, "until_ns": resume_by_ns}
            return Answer(ExitStatus.UNFINISHED, record, [("bid", words)])
        case Halted(placed):
            return Answer(ExitStatus.VERIFICATION_FAILED, *_halted(basics, placed, currency))
        case NotHeard():
            words = "not made: the house has fallen silent, and nothing was bid"
            return Answer(ExitStatus.UNREACHABLE, {"event": "not_heard", **basics}, [("bid", words)])
        case Void(placed) | Unanswered(placed):
            is_void = isinstance(ending, Void)
            record = {
                "event": "void" if is_void else "unanswered",
                **basics,
                "seq": placed.seq,
                "amount": amount_record(placed.amount_minor, currency),
                "not_after_ns": placed.not_after_ns,
            }
            words = (
                "not in the log, and too late for it: it was not accepted, and never will be"
                if is_void
                else f"sent, and not answered: it may have been accepted until {clock_time(placed.not_after_ns)}, and"
                " not after that; `auctionctl show` says"
            )
            facts = [("bid", words), ("amount", str(Money(placed.amount_minor, currency)))]
            return Answer(ExitStatus.UNFINISHED if is_void else ExitStatus.UNREACHABLE, record, facts)
        case _:
            assert_never(ending)


def _halted(
    basics: dict[str, object], placed: BidPlaced | None, currency: str
) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """The record and the facts of a house that says itself that its log cannot be relied on."""
    words = (
        "not made" if placed is None else f"sent, and may have been accepted until {clock_time(placed.not_after_ns)}"
    )
    facts = [("bid", words)]
    record: dict[str, object] = {"event": "halted", **basics}
    if placed is not None:
        money = Money(placed.amount_minor, currency)
        facts.append(("amount", str(money)))
        record |= {"seq": placed.seq, "amount": amount_record(money.minor, currency)}
        record["not_after_ns"] = placed.not_after_ns
    return record, [*facts, ("why", HALTED_WORDS)]


def _accepted(ending: Accepted, path: str, terms: Terms, state: Auction | None) -> Answer:
    notice, currency = ending.notice, terms.rules.currency
    receipt = notice.evidence.receipt
    record = {
        "event": "accepted",
        "auction": notice.auction.hex(),
        "seq": notice.seq,
        "amount": amount_record(notice.amount_minor, currency),
        "index": receipt.index,
        "time_ns": receipt.time_ns,
        "is_leading": ending.is_leading,
        "is_earlier": ending.is_earlier,
        "receipt": path,
    }
    leading = "yes"
    if ending.is_leading is None:
        leading = "not known: the log has not come yet; `auctionctl show` says"
    elif not ending.is_leading:
        standing = None if state is None else state.standing
        leading = "no" if standing is None else f"no: {Money(standing.price_minor, currency)} was bid after it"
    facts = [
        ("bid", "accepted"),
        ("amount", str(Money(notice.amount_minor, currency))),
        ("leading", leading),
        ("entry", str(receipt.index)),
        ("time", clock_time(receipt.time_ns)),
        ("receipt", path),
    ]
    if ending.is_earlier:
        facts.insert(1, ("made", "by an earlier run: no second bid was made"))
    return Answer(ExitStatus.OK, record, facts)
