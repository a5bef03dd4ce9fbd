"""What must hold, each as a function of plain data: bytes of logs, what was said, what truly happened.

Rule: a checker believes neither the house nor its state. It raises :class:`CheckFailed`, which says what was found, and
where; ``test_checkers.py`` shows of each that it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
from naive_auction import Broken, NaiveAuction
from naive_pauses import Interval, uncovered_ns
from naive_reputation import DAY_NS, NaiveReputations, is_said_rightly, rows_of
from timeline import SECOND_NS

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import decode_bid, decode_join
from auctionctl.auction.commands import decode_command
from auctionctl.errors import AuctionctlError
from auctionctl.keys.signing import Identity
from auctionctl.replica.audit import audit, audit_registry, compare_with_registry
from auctionctl.replica.replay import Replay

_decode = msgspec.msgpack.Decoder().decode

ALONE_NS: Final = 10 * SECOND_NS
"""How long somebody has to be out of sight before the house may say that it left."""
LATE_NS: Final = 2 * SECOND_NS
"""How late a house may be that is to end a pause: what is longer is an outage, and in a gap."""
GRACE_NS: Final = SECOND_NS
"""How far a gap may reach beyond the outage, for bidders to come back."""


class CheckFailed(AssertionError):
    """``name`` is the checker's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class Receipt(NamedTuple):
    """The house said: this command is entry ``index`` of this log, dated ``time_ns``."""

    log: bytes
    command: bytes
    index: int
    time_ns: int


class Refused(NamedTuple):
    """The house signed: the rules refuse this command, with so many entries, at this time."""

    log: bytes
    command: bytes
    code: str
    observed: tuple[tuple[str, int], ...]
    log_size: int
    time_ns: int


class Outage(NamedTuple):
    """From ``start_ns`` to ``end_ns``, on the house's clock, nobody was served; ``sizes`` are the logs' at its start.

    ``least_ns`` is where the house may believe that it began; ``needed_ns``, until when gaps have to cover it: sooner
    than its end if the clock was set back afterwards, as what follows is lived once more.
    """

    start_ns: int
    end_ns: int
    least_ns: int
    sizes: Mapping[bytes, int]
    needed_ns: int


class Stamp(NamedTuple):
    """The house signed: in the second that began at ``time_ns`` this log had so many entries."""

    log: bytes
    size: int
    time_ns: int


class Placed(NamedTuple):
    """A bid that somebody signed and kept."""

    log: bytes
    command: bytes
    seq: int
    amount_minor: int
    not_after_ns: int


def check_receipts(entries: Mapping[bytes, Sequence[bytes]], receipts: Iterable[Receipt]) -> None:
    """What was acknowledged is in the log, where and when it was said to be."""
    for receipt in receipts:
        log = entries.get(receipt.log, ())
        if receipt.index >= len(log):
            raise CheckFailed("receipts", f"entry {receipt.index} was acknowledged, and the log has {len(log)}")
        _, time_ns, body, _ = _decode(log[receipt.index])
        if sha256(body).digest() != receipt.command:
            raise CheckFailed("receipts", f"entry {receipt.index} is another command than the one acknowledged")
        if time_ns != receipt.time_ns:
            raise CheckFailed("receipts", f"entry {receipt.index} is dated otherwise than it was acknowledged")


def check_commands_once(entries: Sequence[bytes]) -> None:
    """No command stands twice in a log."""
    seen: dict[bytes, int] = {}
    for index, data in enumerate(entries):
        kind, _, body, signature = _decode(data)
        if signature and seen.setdefault(body, index) != index:
            raise CheckFailed("once", f"the {kind} of entry {seen[body]} is entry {index} again")


def check_times(entries: Sequence[bytes]) -> None:
    """Entries' times never go back."""
    last_ns = 0
    for index, data in enumerate(entries):
        time_ns = _decode(data)[1]
        if time_ns < last_ns:
            raise CheckFailed("times", f"entry {index} is dated {last_ns - time_ns} ns before the one below it")
        last_ns = time_ns


def naive_of(entries: Iterable[bytes]) -> NaiveAuction:
    """The log by the plain rules: phases, prices, winner, deadlines, all."""
    naive = NaiveAuction()
    for data in entries:
        apply_naively(naive, data)
    return naive


def apply_naively(naive: NaiveAuction, data: bytes) -> None:
    """One more entry; CheckFailed if the plain rules do not allow it."""
    try:
        naive.apply(data)
    except Broken as error:
        raise CheckFailed("rules", str(error)) from error


def check_ended_once(naive: NaiveAuction) -> None:
    """Exactly one end, and one winner at most: one if, and only if, it was sold."""
    if len(naive.ends) != 1:
        raise CheckFailed("one end", f"the log ends {len(naive.ends)} times")
    kind, body = naive.ends[0]
    if kind == "closed" and (body[1] == "completed") != (body[2] is not None):
        raise CheckFailed("one end", f"{body[1]}, and {'a' if body[2] else 'no'} winner")


SETTLEMENT = (
    ("stage", "stage"),
    ("debtor", "debtor"),
    ("price_minor", "price_minor"),
    ("bid_index", "bid_index"),
    ("due_ns", "due_ns"),
    ("stage_by_ns", "by_ns"),
    ("payment", "payment"),
)


def check_settlement(auction: Auction, naive: NaiveAuction) -> None:
    """The sale stands where the plain rules have it, with the same deadlines; and there is one exactly if there is."""
    mine, plain = auction.settlement, naive.sale
    if (mine is None) != (plain is None):
        raise CheckFailed("settlement", f"there is {'none' if mine is None else 'one'}, and by the plain rules not so")
    if mine is None or plain is None:
        return
    for name, plainly in SETTLEMENT:
        if name == "payment" and plain.stage != "paid":
            continue
        if getattr(mine, name) != getattr(plain, plainly):
            raise CheckFailed("settlement", f"{name} is {getattr(mine, name)!r}, not {getattr(plain, plainly)!r}")


def check_caps(naive: NaiveAuction, outages: Iterable[Outage]) -> None:
    """No auction has stood still more often or longer than its terms allow, in all and for one bidder alone.

    A house that is not there when a pause has reached its cap cannot end it: ``outages`` do not count.
    """
    _, often, long_ns, often_each, long_each_ns = naive.pauses.rules
    away = [*naive.gaps, *((one.start_ns, one.end_ns) for one in outages)]
    if len(naive.pauses.all) > often:
        raise CheckFailed("caps", f"{len(naive.pauses.all)} pauses, and the terms allow {often}")
    stood_ns = _uncovered_ns(naive.pauses.all, away, naive.time_ns)
    if stood_ns > long_ns + LATE_NS * len(naive.pauses.all):
        raise CheckFailed("caps", f"stood still for {stood_ns / SECOND_NS} s, not {long_ns / SECOND_NS} at most")
    for bidder, waits in naive.pauses.waits.items():
        others = [
            (each[0], each[1] or naive.time_ns)
            for by, them in naive.pauses.waits.items()
            if by != bidder
            for each in them
        ]
        if len(waits) > often_each:
            raise CheckFailed("caps", f"a bidder was waited for {len(waits)} times, and the terms allow {often_each}")
        if _uncovered_ns(waits, [*away, *others], naive.time_ns) > long_each_ns + LATE_NS * len(waits):
            raise CheckFailed("caps", f"a bidder was waited for longer than {long_each_ns / SECOND_NS} s")


def _uncovered_ns(intervals: Iterable[Interval], covers: Iterable[tuple[int, int]], now_ns: int) -> int:
    merged: list[tuple[int, int]] = []
    for since_ns, until_ns in sorted(covers):
        if merged and since_ns <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(until_ns, merged[-1][1]))
        elif until_ns > since_ns:
            merged.append((since_ns, until_ns))
    return sum(uncovered_ns(each, now_ns, merged) for each in intervals)


def check_same_state(live: Auction, replayed: Auction) -> None:
    """The house's state of an auction is what its log says, field by field."""
    for name in Auction.__slots__:
        mine, theirs = getattr(live, name), getattr(replayed, name)
        if mine is not theirs and mine != theirs:
            raise CheckFailed("live state", f"{name} is {mine!r}, and by the log {theirs!r}")


def check_deadlines(auction: Auction, naive: NaiveAuction) -> None:
    """Every deadline has been moved by exactly its gaps and extensions; and phase, price and presence are plain."""
    rows: tuple[tuple[str, Any, Any], ...] = (
        ("phase", str(auction.phase), naive.phase),
        ("start_deadline_ns", auction.start_deadline_ns, naive.start_deadline_ns),
        ("end_ns", auction.end_ns, naive.end_ns),
        ("max_end_ns", auction.max_end_ns, naive.max_end_ns),
        ("extensions", auction.extensions, naive.extensions),
        ("bid_count", auction.bid_count, len(naive.bids)),
        ("present", sorted(auction.present), sorted(naive.present)),
        ("where", str(auction.whereabouts), naive.where),
        ("pauses", auction.pauses.count, len(naive.pauses.all)),
        ("paused", auction.pauses.spent_ns, naive.pauses.spent_ns(naive.gaps)),
        ("timer", auction.get_timer() or 0, naive.running_ns),
        ("price", None if auction.standing is None else auction.standing.price_minor, naive.price_minor),
        ("leader", b"" if auction.standing is None else auction.standing.leader, naive.leader),
    )
    for name, mine, plain in rows:
        if mine != plain:
            raise CheckFailed("deadlines", f"{name} is {mine!r}, and by the plain rules {plain!r}")


def check_rejections(entries: Sequence[bytes], refused: Sequence[Refused], bodies: Mapping[bytes, bytes]) -> None:
    """Each rejection is what the rules say, with the log as it stood and at the time that it names."""
    naive = NaiveAuction()
    replay: Replay | None = None
    last_ns = 0
    waiting = sorted(refused, key=lambda each: each.log_size)
    for size in range(len(entries) + 1):
        while waiting and waiting[0].log_size == size:
            one = waiting.pop(0)
            assert replay is not None, "nothing is judged without terms"
            _check_rejection(one, bodies[one.command], naive, replay.state, last_ns)
        if size < len(entries):
            if replay is None:
                body = _decode(entries[0])[2]
                replay = Replay(_decode(body)[1], sha256(body).digest(), lambda *_: True)
            replay.apply(entries[size])
            apply_naively(naive, entries[size])
            last_ns = naive.time_ns
    if waiting:
        raise CheckFailed("rejections", f"judged at {waiting[0].log_size} entries, and the log has {len(entries)}")


def _check_rejection(one: Refused, body: bytes, naive: NaiveAuction, auction: Auction, last_ns: int) -> None:
    where = f"{one.code} at {one.log_size} entries"
    if one.time_ns < last_ns:
        raise CheckFailed("rejections", f"{where} was judged {last_ns - one.time_ns} ns before the last of them")
    if one.command in naive.commands:
        raise CheckFailed("rejections", f"{where} is of entry {naive.commands[one.command]}")
    code = naive.judge(body, one.time_ns)
    if one.code == "wrong_reputation" and naive.rules[14] and code in ("", "low_reputation"):
        return  # By the registry, and not by this log: see check_statements.
    if code != one.code:
        raise CheckFailed("rejections", f"{where}, where the plain rules say {code or 'nothing against it'}")
    kind = _decode(body)[0]
    if kind == "bid":
        refusal = auction.decide_bid(decode_bid(body), one.time_ns)
    elif kind == "join":
        refusal = auction.decide_join(decode_join(body), one.time_ns)
    else:
        refusal = auction.decide_command(decode_command(body), one.command, one.time_ns)
    if refusal is None or (str(refusal.code), refusal.observed) != (one.code, one.observed):
        raise CheckFailed("rejections", f"{where} observed {one.observed}, and by replay {refusal}")


def check_gaps_cover(entries: Sequence[bytes], log: bytes, outages: Iterable[Outage]) -> None:
    """Whenever nobody was served while a deadline ran, the log has gaps from the beginning of that to its end."""
    naive, running_ns = NaiveAuction(), [0]
    for data in entries:
        apply_naively(naive, data)
        running_ns.append(naive.bidding_ns)
    for outage in outages:
        size, at_ns = outage.sizes.get(log, 0), outage.start_ns
        if running_ns[size] <= at_ns:
            continue
        for since_ns, until_ns in naive.gaps:
            if since_ns <= at_ns:
                at_ns = max(at_ns, until_ns)
        if at_ns < outage.needed_ns:
            missing_s = (outage.needed_ns - at_ns) / SECOND_NS
            raise CheckFailed("gaps", f"an outage after entry {size - 1}, and {missing_s:.3f} s of it are in no gap")


def check_gaps_true(entries: Sequence[bytes], outages: Iterable[Outage]) -> None:
    """No gap without an outage, nor longer than that and its grace."""
    known = sorted(outages, key=lambda one: one.least_ns)
    for since_ns, until_ns in naive_of(entries).gaps:
        at_ns = since_ns
        for one in known:
            if one.least_ns <= at_ns:
                at_ns = max(at_ns, one.end_ns + GRACE_NS)
        if at_ns < until_ns:
            raise CheckFailed("gaps", f"a gap of {(until_ns - since_ns) / SECOND_NS:.3f} s, and nothing was amiss")


def check_stamps(entries: Sequence[bytes], stamps: Iterable[Stamp]) -> None:
    """No entry is dated before a stamp that it came after, nor after the second of one that it came before."""
    times_ns = [_decode(data)[1] for data in entries]
    for stamp in stamps:
        if stamp.size > len(entries):
            raise CheckFailed("stamps", f"a stamp over {stamp.size} entries, and the log has {len(entries)}")
        if any(time_ns < stamp.time_ns for time_ns in times_ns[stamp.size :]):
            raise CheckFailed("stamps", f"an entry after the first {stamp.size} is dated before the stamp over those")
        if any(time_ns >= stamp.time_ns + SECOND_NS for time_ns in times_ns[: stamp.size]):
            raise CheckFailed("stamps", f"one of the first {stamp.size} entries is dated after the stamp over those")


def check_left(time_ns: int, is_here: bool, gone_since_ns: int, is_served: bool) -> None:
    """Who is said to have left had no session for as long as it takes, and could have had one."""
    if is_here:
        raise CheckFailed("left", "somebody is said to have left, and has a session")
    if not is_served:
        raise CheckFailed("left", "somebody is said to have left while nobody could be there")
    if time_ns - gone_since_ns < ALONE_NS:
        raise CheckFailed("left", f"somebody is said to have left after {(time_ns - gone_since_ns) / SECOND_NS:.3f} s")


def check_order(entries: Sequence[bytes], arrivals: Sequence[bytes]) -> None:
    """The commands of a batch stand in its log in the order in which they came."""
    at = 0
    for data in entries:
        kind, _, body, signature = _decode(data)
        if signature and kind != "terms":
            try:
                at = arrivals.index(body, at) + 1
            except ValueError:
                raise CheckFailed("order", f"a {kind} stands before one that came sooner, or never came") from None


def owed_minor(naive: NaiveAuction, me: bytes) -> int:
    """What ``me`` has to pay for the lot, or has paid, once bidding is over."""
    if naive.sale is not None:
        is_bought = naive.sale.debtor == me and naive.sale.stage in ("pending_payment", "paid", "settled")
        return naive.sale.price_minor if is_bought else 0
    kind, body = naive.ends[0]
    return body[3] if kind == "closed" and body[2] == me else 0


def exposure_minor(
    me: bytes, placed: Iterable[Placed], logs: Mapping[bytes, NaiveAuction], floor_ns: int
) -> dict[bytes, int]:
    """What ``me`` may have to pay in each log at worst; nothing is accepted before ``floor_ns`` any more.

    What was bought by accepting a second offer is not counted: no agent did that.
    """
    worst: dict[bytes, int] = {}
    for log, naive in logs.items():
        if naive.has_ended:
            kind, body = naive.ends[0]
            worst[log] = owed_minor(naive, me) if kind == "closed" and body[2] == me else 0
        elif naive.leader == me:
            worst[log] = naive.price_minor or 0
    for bid in placed:
        there = logs.get(bid.log)
        if there is None or there.has_ended or bid.command in there.commands:
            continue
        if bid.seq > there.last_seq(me) and bid.not_after_ns >= max(floor_ns, there.time_ns):
            worst[bid.log] = max(worst.get(bid.log, 0), bid.amount_minor)
    return worst


def check_budget(name: str, budget_minor: int, worst: Mapping[bytes, int]) -> None:
    """Whatever may still be accepted, nobody can have to pay more than the budget."""
    total_minor = sum(worst.values())
    if total_minor > budget_minor:
        raise CheckFailed("budgets", f"{name} may have to pay {total_minor} of {budget_minor}: {list(worst.values())}")


def check_wallet(name: str, committed: Mapping[bytes, int], logs: Mapping[bytes, NaiveAuction], me: bytes) -> None:
    """At the end a wallet holds what its owner has won, and nothing else."""
    won = {log: owed for log, naive in logs.items() if (owed := owed_minor(naive, me))}
    if dict(committed) != won:
        raise CheckFailed("wallets", f"{name} holds {sorted(committed.values())}, and has won {sorted(won.values())}")


def check_conduct(plain: NaiveReputations, entries: Mapping[bytes, Sequence[bytes]]) -> None:
    """Of every auction, all of them final, the registry says what follows from its log; and nobody bid an invalid bid.

    Whoever bids here is an honest agent: what the house counts against it happened to it, or to its messages.
    """
    for log, data in entries.items():
        rows = plain.said_of(log)
        if wrong := is_said_rightly(rows, rows_of(data)):
            raise CheckFailed("conduct", wrong)
        if any(row[6] for row in rows):
            raise CheckFailed("conduct", f"invalid bids of honest agents: {[row[6] for row in rows]}")


LATER_DAYS: Final = (0, 1, 89, 90, 91, 1_000, 2_880, 2_881, 3_000)


def check_reputations(
    live: Callable[[bytes, int], int], plain: NaiveReputations, keys: Iterable[bytes], now_ns: int
) -> None:
    """The reputations that a house goes by are those of its registry, now and however much later."""
    for key in keys:
        for days in LATER_DAYS:
            at_ns = now_ns + days * DAY_NS
            mine, plainly = live(key, at_ns), plain.ppm(key, at_ns)
            if mine != plainly:
                raise CheckFailed("reputations", f"{mine} ppm after {days} days, and by the plain rules {plainly}")


def check_statements(
    entries: Sequence[bytes], refused: Iterable[Refused], bodies: Mapping[bytes, bytes], plain: NaiveReputations
) -> int:
    """Whoever joined where a reputation is asked for had the one it stated; who was kept out had another, or too low.

    How many statements there were.
    """
    asked_ppm, count = _decode(_decode(entries[0])[2])[6][14], 0
    if not asked_ppm:
        return 0
    for index, (kind, time_ns, body, _) in enumerate(map(_decode, entries)):
        if kind == "joined":
            _, _, _, bidder, *_, stated_ppm = _decode(body)
            count += 1
            if stated_ppm not in plain.ppm_then(bidder, time_ns):
                raise CheckFailed("reputations", f"entry {index} states {stated_ppm} ppm, which that bidder had not")
    for one in refused:
        if one.code not in ("wrong_reputation", "low_reputation"):
            continue
        _, _, _, bidder, *_, stated_ppm = _decode(bodies[one.command])
        had_ppm, count = plain.ppm_then(bidder, one.time_ns), count + 1
        told = [one.observed == (("stated", stated_ppm), ("reputation", ppm)) for ppm in had_ppm - {stated_ppm}]
        if not (any(told) if one.code == "wrong_reputation" else stated_ppm in had_ppm):
            raise CheckFailed("reputations", f"{one.code}, {one.observed}, of one who stated {stated_ppm} of {had_ppm}")
    return count


def check_rotations(entries: Sequence[bytes], plain: NaiveReputations) -> None:
    """One holder bids in one auction under one key alone, and under none that was replaced by then."""
    replaced_ns = {old: time_ns for time_ns, old, _ in plain.rotations}
    here: set[bytes] = set()
    for index, (kind, time_ns, body, _) in enumerate(map(_decode, entries)):
        if kind not in ("joined", "bid"):
            continue
        bidder = _decode(body)[3]
        if time_ns > replaced_ns.get(bidder, time_ns):
            raise CheckFailed("rotations", f"the {kind} of entry {index} is by a key that was replaced")
        if here & (plain.keys_of(bidder) - {bidder}):
            raise CheckFailed("rotations", f"the {kind} of entry {index} is by another key of somebody who is here")
        here.add(bidder)


def check_audits(exports: Mapping[bytes, bytes], registry: bytes, house: Identity) -> None:
    """An offline verifier finds nothing wrong with any exported log, nor between it and the registry."""
    try:
        whole = audit_registry(registry, house)
        for log, data in exports.items():
            found = audit(data, house)
            if found.auction.id != log or not found.is_finished or found.contested:
                raise CheckFailed("audit", f"finished {found.is_finished}, contested {found.contested}")
            compare_with_registry(found, whole)
    except AuctionctlError as error:
        raise CheckFailed("audit", str(error)) from error


def check_roots(size: int, root: bytes, durable: int, root_of: Callable[[int], bytes]) -> None:
    """The house signs heads of what is durable, and under their only root."""
    if size > durable:
        raise CheckFailed("heads", f"a head over {size} entries was said, and {durable} are durable")
    if root_of(size) != root:
        raise CheckFailed("heads", f"another root was said for {size} entries than they have")
