"""Giving one command about one auction: its receipt, or its signed refusal and what is possible instead.

Rule: the receipt is durable on disk before anything is written; where it is not known what became of a command, that is
said, with the time after which it cannot be accepted any more. With ``--dry-run`` the rules are asked here, by a
verified copy of the log, and nothing is sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from types import MappingProxyType
from typing import Final, NamedTuple, assert_never

from auctionctl.auction.auction import Auction
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import (
    Accept,
    AnyCommand,
    Cancel,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
    encode_command,
    type_of,
)
from auctionctl.auction.price import format_minor
from auctionctl.auction.rejection import RULES, Code
from auctionctl.auction.terms import Terms
from auctionctl.bidding.commanding import (
    VALID_NS,
    Commander,
    Done,
    Ending,
    Make,
    NotHeard,
    Rejected,
    Stamp,
    Turned,
    Unanswered,
)
from auctionctl.cli.bidder import find_auctions
from auctionctl.cli.command_schema import SCHEMA
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.former_keys import find_former, former_key
from auctionctl.cli.observer import ConnectionNotes, names_of, read_auction
from auctionctl.cli.options import AtHouse
from auctionctl.cli.output import write_document, write_facts, write_note
from auctionctl.cli.records import clock_time, fact_record, observed_words
from auctionctl.cli.seen_logs import FollowedLogs, SeenLogs
from auctionctl.cli.whereabouts import possible_words, where_words
from auctionctl.client.receipts import ReceiptFiles
from auctionctl.errors import NotAuthorisedError
from auctionctl.keys.signing import SecretKey
from auctionctl.net.clock import Clock
from auctionctl.net.dealer import Dealer
from auctionctl.replica.follower import Notice
from auctionctl.replica.registry import Registry
from auctionctl.views.auction_row import Names, name_of
from auctionctl.views.peer_text import safe_text
from auctionctl.wire.address import HouseAddress
from auctionctl.wire.messages import Refused

PUT_OFF_WORDS: Final = MappingProxyType(
    {
        "busy": "the house is busy",
        "store_full": "the house is busy",
        "rate": "the house takes no more for now",
        "muted": "the house takes nothing of this key for now",
    }
)
"""Code of a refusal for now → in words. Each is said once: what is put off is sent again by itself."""
RoleOf = Callable[[Terms, bytes], str]
"""(terms, our signing key) → the role in which the command is given."""


Named = Callable[[Auction], bytes | None]
"""The signing key that the log names as the one that has to give the command; None where nobody in it has to."""


def nobody(_auction: Auction) -> bytes | None:
    """The :data:`Named` of a command that is no participant's."""
    return None


class Order(NamedTuple):
    """What is to be done: ``make`` makes the command, ``role_of`` says in which role, ``who`` may do it at all.

    If ``named`` is a former key of ours, that one has to sign: the log knows of no other.
    """

    make: Make
    role_of: RoleOf
    who: str
    named: Named = nobody


def always(role: str) -> RoleOf:
    """The :data:`RoleOf` of a command for which there is one role only."""
    return lambda _terms, _actor: role


def give(at: AtHouse, wanted: str, order: Order, *, is_dry: bool) -> ExitStatus:
    """Give the command about the auction that ``wanted`` names, or only judge it; and say what comes of it."""
    return _judge(at, wanted, order) if is_dry else _give(at, wanted, order)


def _give(at: AtHouse, wanted: str, order: Order) -> ExitStatus:
    address, secret = at.address(), at.secret()
    ((auction, terms),) = find_auctions(address, secret, [wanted]).items()
    former = find_former(at, secret, wanted, order.named)
    role = order.role_of(terms, (former or secret).identity.signing)
    memory = SeenLogs(at.paths, address.identity)
    commander = Commander(
        secret,
        address.identity,
        auction,
        role,
        make=order.make,
        nonce=secrets.token_bytes(16),
        now_ns=Clock().now_ns(),
        heads_of=memory.heads_of,
        former=former,
    )
    try:
        _drive(commander, FollowedLogs(memory, at.paths, commander.follower), address, secret)
    except NotAuthorisedError as error:
        raise NotAuthorisedError(str(error), hint=error.hint or _role_hint(order, role)) from None
    except KeyboardInterrupt:
        if commander.sent is not None:
            write_note(f"it was sent, and may be accepted until {clock_time(commander.sent.not_after_ns)}")
        raise
    assert commander.ending is not None
    names = names_of(at.paths, secret, commander.follower.registry.replay.state)
    replica = commander.replica
    state = None if replica is None else replica.replay.auction
    return _write(at, _Answering(at, terms, auction, state, names).answer(commander.ending))


def _drive(commander: Commander, logs: FollowedLogs, address: HouseAddress, secret: SecretKey) -> None:
    """Until there is an ending. VerificationError if a log is not what it was when it was last seen here."""
    connection = ConnectionNotes(commander.follower)
    said = set[str]()

    def handle(notice: Notice) -> None:
        logs.take(notice)
        if isinstance(notice, Refused) and notice.code in PUT_OFF_WORDS and notice.code not in said:
            said.add(notice.code)
            write_note(f"{PUT_OFF_WORDS[notice.code]}, trying again: {safe_text(notice.message, 300)}")

    def tick() -> None:
        connection.tick()
        logs.tick()

    dealer = Dealer(commander, address, secret)
    try:
        with logs.kept():
            dealer.run(handle, lambda: commander.is_done, on_tick=tick)
    finally:
        dealer.close()


class _Answer(NamedTuple):
    """What came of it, for programs and for people."""

    status: ExitStatus
    record: dict[str, object]
    facts: list[tuple[str, str]]


def _write(at: AtHouse, answer: _Answer) -> ExitStatus:
    if at.form.is_json:
        write_document(SCHEMA, answer.record)
    else:
        write_facts(answer.facts)
    return answer.status


class _Answering:
    """Words for what came of a command about one auction, of which ``state`` is what is known now, if anything is."""

    def __init__(self, at: AtHouse, terms: Terms, auction: bytes, state: Auction | None, names: Names) -> None:
        self._at = at
        self._terms = terms
        self._state = state
        self._names = names
        self._basics: dict[str, object] = {"auction": auction.hex(), "listing": terms.listing}

    def answer(self, ending: Ending) -> _Answer:
        """What to say of how it ended."""
        match ending:
            case Done():
                return self._done(ending)
            case Rejected(command, rejection):
                said = {"event": "rejected", "time_ns": rejection.time_ns}
                return self.rejected(command, said, rejection.code, rejection.observed, "rejected")
            case Turned(code, words):
                said = {"event": "refused", **self._basics, "code": code, "rule": words}
                facts = [("command", "refused by the house"), ("why", f"{code}: {safe_text(words, 300)}")]
                return _Answer(_TURNED.get(code, ExitStatus.REJECTED), said, [*facts, self._listing])
            case NotHeard():
                words = "not given: the house does not say how the auction stands"
                said = {"event": "not_heard", **self._basics}
                return _Answer(ExitStatus.UNREACHABLE, said, [("command", words), self._listing])
            case Unanswered(command):
                until, asking = clock_time(command.not_after_ns), f"`auctionctl events {self._terms.listing}` says"
                words = f"sent, and not answered: it may have been accepted until {until}; {asking}"
                record = self._record(command) | {"event": "unanswered", "not_after_ns": command.not_after_ns}
                return _Answer(ExitStatus.UNREACHABLE, record, self._facts(command, words))
            case _:
                assert_never(ending)

    def _done(self, done: Done) -> _Answer:
        name, receipt = type_of(done.command), done.evidence.receipt
        files = ReceiptFiles(self._at.paths.receipts)
        path = str(files.keep_command(self._terms.listing, name, done.evidence))
        more = {"event": "accepted", "index": receipt.index, "time_ns": receipt.time_ns, "receipt": path}
        facts = [*self._facts(done.command, "accepted"), ("entry", str(receipt.index))]
        return _Answer(
            ExitStatus.OK,
            self._record(done.command) | more,
            [*facts, ("time", clock_time(receipt.time_ns)), *self._now(), ("receipt", path)],
        )

    def acceptable(self, command: AnyCommand) -> _Answer:
        """The rules have nothing against it."""
        facts = self._facts(command, "would be accepted, as things are; nothing was sent")
        return _Answer(ExitStatus.OK, self._record(command) | {"event": "acceptable"}, facts)

    def rejected(
        self,
        command: AnyCommand,
        said: dict[str, object],
        code: str,
        observed: tuple[tuple[str, int], ...],
        verdict: str,
    ) -> _Answer:
        """The rules refuse it, under ``code``; ``said`` goes into the record, ``verdict`` before the people."""
        words = RULES[Code(code)] if code in set(Code) else ""
        possible = () if self._state is None else self._state.possible_commands
        record = self._record(command) | said | {"code": code, "rule": words, "observed": dict(observed)}
        facts = [*self._facts(command, verdict), ("rule", f"{code}: {words}" if words else code)]
        if observed:
            facts.append(("observed", observed_words(dict(observed), self._terms.rules.currency)))
        if self._state is not None:
            facts += [*self._now(), ("possible now", possible_words(self._state, self._names))]
        return _Answer(ExitStatus.REJECTED, record | {"possible": list(possible)}, facts)

    @property
    def _listing(self) -> tuple[str, str]:
        return ("auction", self._terms.listing)

    def _record(self, command: AnyCommand) -> dict[str, object]:
        where = None if self._state is None else self._state.whereabouts.value
        about = fact_record(command, self._terms.rules.currency)
        return {"command": type_of(command), **self._basics, "whereabouts": where, **about}

    def _facts(self, command: AnyCommand, verdict: str) -> list[tuple[str, str]]:
        return [(type_of(command).replace("_", "-"), verdict), self._listing, *self._about(command)]

    def _about(self, command: AnyCommand) -> list[tuple[str, str]]:
        currency = self._terms.rules.currency
        match command:
            case Pay():
                amount = [("amount", format_minor(command.amount_minor, currency))] if self._is_sold else []
                return [*amount, ("reference", safe_text(command.reference))]
            case Offer() if command.bidder == command.actor:
                return []  # There was nobody to offer it to: the command names its own signer, and is refused.
            case Offer():
                price = format_minor(command.amount_minor, currency)
                return [("to", name_of(command.bidder, self._names)), ("at", price)]
            case Accept():
                price_minor = None if self._state is None else price_to(command.actor, self._state)
                return [] if price_minor is None else [("at", format_minor(price_minor, currency))]
            case Decline():
                return []
            case Settle():
                return [("as", command.capacity.value)]
            case RejectPayment():
                reason = [("reason", safe_text(command.reason))] if command.reason else []
                return [("as", command.capacity.value), *reason]
            case Pause() | Resume() | Cancel():
                return [("reason", safe_text(command.reason))] if command.reason else []
            case _:
                assert_never(command)

    @property
    def _is_sold(self) -> bool:
        return self._state is not None and (self._state.sale or self._state.settlement) is not None

    def _now(self) -> list[tuple[str, str]]:
        return [] if self._state is None else [("now", where_words(self._state, self._names))]


def price_to(bidder: bytes, auction: Auction) -> int | None:
    """At what price ``bidder`` may have the lot, or has it, by an offer or by its bid; None where it may not."""
    settlement = auction.settlement
    if settlement is None:
        return None
    if settlement.offered_to == bidder and settlement.next_bidder is not None:
        return settlement.next_bidder[1].amount_minor
    return settlement.price_minor if auction.sale is not None and settlement.debtor == bidder else None


_TURNED: Final = {"not_authorised": ExitStatus.NOT_AUTHORISED, "no_such_auction": ExitStatus.NOT_FOUND}


def _judge(at: AtHouse, wanted: str, order: Order) -> ExitStatus:
    secret = at.secret()
    observer, replica = read_auction(at, wanted)
    auction = replica.replay.state
    former = former_key(at, secret, observer.registry, order.named(auction))
    actor = (former or secret).identity.signing
    _check_role(observer.registry, secret, order, order.role_of(auction.terms, actor))
    now_ns = observer.house_now_ns
    stamp = Stamp(auction.terms.house, auction.id, actor, secrets.token_bytes(16), now_ns, now_ns + VALID_NS)
    command = order.make(auction, stamp)
    refusal = auction.decide_command(command, command_id(encode_command(command)), now_ns)
    names = names_of(at.paths, secret, observer.registry)
    answering = _Answering(at, auction.terms, auction.id, auction, names)
    if refusal is None:
        return _write(at, answering.acceptable(command))
    said: dict[str, object] = {"event": "unacceptable", "time_ns": now_ns}
    verdict = "would be rejected, as things are; nothing was sent"
    return _write(at, answering.rejected(command, said, refusal.code, refusal.observed, verdict))


def _check_role(registry: Registry, secret: SecretKey, order: Order, role: str) -> None:
    """The rules of an auction know nothing of roles; the house would refuse the session. NotAuthorisedError."""
    member = registry.members.get(secret.identity.signing)
    if member is not None and role not in member.role.split("+"):
        raise NotAuthorisedError(
            f"{safe_text(member.name)} is admitted as {member.role}, not as {role}",
            hint=_role_hint(order, role),
        )


def _role_hint(order: Order, role: str) -> str:
    how = f"auctionctl allow add KEY NAME --role {role} --replace (join several roles by +)"
    return f"it takes {order.who}; let a key in as {role} with: {how}"
