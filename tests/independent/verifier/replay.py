"""The rules of an auction, entry by entry."""

import re

from forms import h, need, read_bytes
from pauses import Pauses
from proofs import Tree, signed
from sale import Sale

NEXT = {  # phase or stage: what may follow, and the phase or stage after it if that is another
    "": "terms:announced",
    "announced": "takeover joined left gap opened:open cancelled:closed",
    "open": "takeover joined left bid gap paused:paused closed:closed cancelled:closed",
    "paused": "takeover joined left gap resumed:open cancelled:closed",
    "closed": "",
    "pending_payment": "takeover joined left gap payment:paid defaulted:defaulted",
    "paid": "takeover payment_rejected:pending_payment settled:settled",
    "defaulted": "takeover gap offered:offered reverted:reverted",
    "offered": "takeover gap accepted:pending_payment declined:defaulted",
    "settled": "",
    "reverted": "",
}
SIGNED = {"terms": "terms", "joined": "join", "bid": "bid", "paused": "pause", "resumed": "resume"}
SIGNED |= {"cancelled": "cancel", "payment": "pay", "payment_rejected": "reject_payment", "settled": "settle"}
SIGNED |= {"offered": "offer", "accepted": "accept", "declined": "decline"}
UNSIGNED = "opened left gap takeover paused resumed cancelled closed defaulted declined reverted"
SIGNERS = {"terms": "seller", "join": "bidder", "bid": "bidder"}  # of all other types: actor


def refuse(*reasons):
    """By the first that is true."""
    for word, wrong in reasons:
        need(not wrong, f"{word} is true of it", word)


class Replay:
    """The state of an auction, entry by entry; what an entry may not be or say is refused."""

    def __init__(self, house, auction):
        self.house, self.auction, self.phase, self.last, self.bids, self.extensions = house, auction, "", 0, 0, 0
        self.present, self.nonces, self.seqs, self.tree, self.contested = set(), set(), {}, Tree(), []
        self.commands, self.operators, self.signers, self.best, self.floor, self.sale = set(), [], [], {}, 0, None
        self.winners, self.defaulters, self.lefts, self.stated = set(), set(), {}, []
        self.takeover_epoch, self.taken = 0, float("inf")
        self.price = self.leader = self.bid_index = self.end_reason = None

    def add(self, data):
        entry = read_bytes(data, "entry", 16384)
        kind, now, must = entry.kind, entry.time, self.must_follow()
        need(now >= self.last, "earlier than the entry before", "time")
        following = dict(each.partition(":")[::2] for each in NEXT[self.phase].split())
        need(kind in following, f"{kind} is not allowed here", "phase")
        need(must in (None, kind), f"it has to be {must}", must)
        need(kind != "terms" or h(entry.body) == self.auction, "not the terms of this auction", "terms")
        is_signed = kind in SIGNED and (entry.signature or kind not in UNSIGNED.split())
        need(is_signed or not entry.signature, "an entry of the house has a signature", "signature")
        word = SIGNED[kind] if is_signed else kind
        body = read_bytes(entry.body, word, 12288 if kind == "terms" else 16384, word)
        need(kind != "terms" or body.house == self.house, "of another house", "terms")
        if is_signed:
            signer, message = SIGNERS.get(word, "actor"), f"auctionctl/{word}/v1\0".encode() + entry.body
            need(signed(getattr(body, signer), message, entry.signature), f"not by the {signer}", "signature")
            self.signers.append((len(self.tree.roots), entry.time, getattr(body, signer), entry.kind))
            refuse(("wrong_auction", kind != "terms" and body.auction != self.auction))
        self.id, self.at = h(entry.body), max(self.floor, now)
        is_command = is_signed and word not in SIGNERS
        if is_command:
            self.judge_command(body, now)
        getattr(self, f"{'signed' if is_signed else 'house'}_{kind}")(body, now)
        if is_command:
            self.remember(body, now)
        self.phase = "pending_payment" if kind == "closed" and self.sale else following[kind] or self.phase
        floors = {"gap": getattr(body, "until", 0), "left": self.floor, "takeover": self.floor}
        self.last, self.floor = now, floors.get(kind, self.at)
        self.tree.add(data)

    def below(self):
        return len(self.present) < self.rules.min_bidders

    def must_follow(self):
        """The kind of the entry that has to come next, or None."""
        if self.phase == "announced":
            return None if self.below() else "opened"
        if self.phase == "open":
            return "paused" if self.last < self.end and self.pauses.must_begin(self.below()) else None
        if self.phase == "paused":
            return "resumed" if self.pauses.must_end(self.below()) else None
        return "reverted" if self.phase == "defaulted" and not self.sale.next_bidder() else None

    def deadline(self):
        if self.must_follow():
            return self.last
        if self.phase in ("announced", "open"):
            return self.start_deadline if self.phase == "announced" else self.end
        if self.phase == "paused":
            return self.pauses.cap()
        if self.phase in ("defaulted", "offered"):
            return self.sale.by
        return self.sale.deadline() if self.phase == "pending_payment" else None

    def is_due(self, now):
        return self.deadline() is not None and now >= self.deadline()

    # What participants sign

    def signed_terms(self, body, now):
        self.terms, self.rules, self.start, self.pauses = body, body.rules, now, Pauses(body.rules.pauses)
        self.start_deadline = now + self.rules.start_timeout

    def watches(self, bidder):
        """Whether it matters, after the close, that it comes or goes."""
        return self.phase == "pending_payment" and bidder == self.sale.debtor and self.rules.payment.absence > 0

    def times(self, body, now, ahead):
        return ("expired", body.not_after < now), ("not_after_too_far", body.not_after > now + ahead)

    def signed_joined(self, body, now):
        refuse(
            ("wrong_house", body.house != self.house),
            ("closed", self.is_due(now) or (self.sale and not self.watches(body.bidder))),
            ("own_auction", body.bidder == self.terms.seller),
            ("already_joined", body.bidder in self.present),
            ("join_repeated", (body.bidder, body.nonce) in self.nonces),
            *self.times(body, now, self.rules.bid_timeout),
            ("wrong_reputation", body.reputation and not self.rules.min_reputation),
            ("low_reputation", body.reputation < self.rules.min_reputation and body.bidder not in self.seqs),
        )
        self.nonces.add((body.bidder, body.nonce))
        self.present.add(body.bidder)
        if self.rules.min_reputation:
            self.stated.append((len(self.tree.roots), now, body.bidder, body.reputation))
        self.pauses.back(body.bidder, self.at)
        if self.sale:
            self.sale.absent_since = None

    def signed_bid(self, body, now):
        seq, price = self.seqs.get(body.bidder, 0), self.price
        least = max(1, self.rules.starting_price) if price is None else price + self.step(price)
        refuse(
            ("wrong_house", body.house != self.house),
            ("closed", now >= self.end),
            ("own_auction", body.bidder == self.terms.seller),
            ("not_joined", body.bidder not in self.present),
            ("wrong_currency", body.currency != self.rules.currency),
            ("sequence_conflict", body.seq == seq),
            ("stale", body.seq < seq),
            *self.times(body, now, self.rules.bid_timeout),
            ("below_starting_price", price is None and body.amount < least),
            ("already_leading", body.bidder == self.leader),
            ("below_increment", body.amount < least),
        )
        self.seqs[body.bidder], self.bids, index = body.seq, self.bids + 1, len(self.tree.roots)
        self.price, self.leader, self.bid_index = body.amount, body.bidder, index
        self.best[body.bidder] = body.amount, index
        if body.head_size > index or (body.head_size and self.tree.roots[body.head_size - 1] != body.head_root):
            self.contested.append(index)
        moved = min(now + self.rules.soft_close, self.max_end)
        if self.end - now < self.rules.soft_close and moved > self.end:
            self.end, self.extensions = moved, self.extensions + 1

    def step(self, price):
        steps = self.rules.increment
        if steps.word == "table":
            return [row.step for row in steps.rows if row.bound <= price][-1]
        return steps.step if steps.word == "fixed" else max(1, -(-price * steps.basis_points // 10_000))

    def judge_command(self, body, now):
        refuse(
            ("wrong_house", body.house != self.house),
            ("command_repeated", self.id in self.commands),
            *self.times(body, now, 300 * 10**9),
        )

    def remember(self, body, now):
        self.commands.add(self.id)
        if body.word in ("pause", "resume", "cancel") or getattr(body, "capacity", "") == "operator":
            self.operators.append([len(self.tree.roots), now, body.actor.hex()])

    def signed_paused(self, _, now):
        refuse(("closed", self.is_due(now)), ("pauses_used_up", not self.pauses.may_pause()))
        self.pauses.begin(self.at, by_terms=False)

    def signed_resumed(self, _, now):
        refuse(("closed", self.is_due(now)), ("paused_by_terms", self.pauses.by_terms))
        self.go_on()

    def go_on(self):
        moved = self.pauses.end(self.at)
        self.end, self.max_end = self.end + moved, self.max_end + moved

    def signed_cancelled(self, _, now):
        refuse(
            ("closed", self.is_due(now)),
            ("has_bids", self.bids and self.rules.cancellation == "before_first_bid"),
        )
        self.end_reason = "cancelled"

    def signed_payment(self, body, now):
        refuse(
            ("defaulted", self.is_due(now)),
            ("not_the_winner", body.actor != self.sale.debtor),
            ("wrong_amount", (body.amount, body.currency) != (self.sale.price, self.rules.currency)),
        )
        self.sale.payment, self.sale.paid_at = self.id, self.at

    def signed_settled(self, body, _):
        refuse(
            ("not_the_seller", body.capacity == "seller" and body.actor != self.terms.seller),
            ("wrong_payment", body.payment != self.sale.payment),
        )

    def signed_payment_rejected(self, body, now):
        self.signed_settled(body, now)
        self.sale.due += 0 if self.sale.rejected else self.at - self.sale.paid_at
        self.sale.rejected = True
        self.sale.absent_since = None if self.sale.debtor in self.present else self.at

    def signed_offered(self, body, now):
        offered = body.bidder, body.amount, body.bid_index
        refuse(
            ("reverted", self.is_due(now)),
            ("not_the_seller", body.actor != self.terms.seller),
            ("not_next_bidder", offered != self.sale.next_bidder() or body.currency != self.rules.currency),
        )
        self.sale.offer, self.sale.offered_to = self.id, body.bidder
        self.sale.by = self.at + self.rules.payment.offer

    def judge_answer(self, body, now):
        refuse(
            ("no_offer", self.is_due(now)),
            ("not_offered", body.actor != self.sale.offered_to),
            ("wrong_offer", body.offer != self.sale.offer),
        )

    def signed_accepted(self, body, now):
        self.judge_answer(body, now)
        self.sale.owe(body.actor, self.at, self.present)
        self.winners.add(body.actor)

    def signed_declined(self, body, now):
        self.judge_answer(body, now)
        self.sale.exclude(body.actor, self.at)

    # What the house says

    def house_opened(self, _, now):
        need(self.must_follow() and now == self.last, "too few, or too late", "opened")
        self.end = now + self.rules.duration
        self.max_end = self.end + self.rules.max_extension
        self.pauses.absent.clear()

    def house_left(self, body, now):
        need(body.bidder in self.present, "it was not there", "left")
        need(self.phase != "paused" or not self.is_due(now), "it has to go on", "left")
        need(not self.sale or self.watches(body.bidder), "it does not matter", "left")
        self.present.remove(body.bidder)
        if self.sale:
            self.sale.absent_since = self.at
            return
        if self.leader == body.bidder:
            self.lefts[body.bidder] = self.lefts.get(body.bidder, 0) + 1
        self.pauses.absent.add(body.bidder)
        if self.phase == "paused" and self.pauses.by_terms:
            self.pauses.wait(body.bidder, self.at)

    def house_gap(self, body, now):
        need(self.floor <= body.since <= body.until <= now + 5 * 10**9, "out of its bounds", "gap")
        length = body.until - body.since
        if self.phase == "announced" and self.start_deadline > body.since:
            self.start_deadline += length
        elif self.phase == "open" and self.end > body.since:
            self.end, self.max_end = self.end + length, self.max_end + length
        elif self.phase == "paused":
            self.pauses.gap(body.since, body.until)
        elif self.sale:
            self.sale.gap(self.phase == "pending_payment", body.since, body.until)

    def house_takeover(self, body, _):
        need(re.fullmatch("[a-z0-9][a-z0-9._-]*", body.instance), "no name", "takeover")
        need(body.epoch > self.takeover_epoch, "one that was outdated", "takeover")
        self.takeover_epoch, self.taken = body.epoch, min(self.taken, len(self.tree.roots))

    def house_paused(self, body, now):
        need(self.must_follow() and body.cause == "terms" and now == self.last, "without cause, or too late", "paused")
        self.pauses.begin(self.at, by_terms=True)

    def house_resumed(self, body, now):
        cause, holds = ("terms", now == self.last) if self.must_follow() else ("cap", self.is_due(now))
        need(body.cause == cause and holds, "without cause, too early or too late", "resumed")
        self.go_on()

    def house_cancelled(self, body, now):
        may = self.phase == "announced" and self.is_due(now) and body.reason == "min_bidders"
        need(may, "too early, or why", "cancelled")
        self.end_reason = "cancelled"

    def house_closed(self, body, now):
        reserve, opening = self.rules.reserve, body.reserve
        need(now >= self.end and (not reserve) == (not opening), "too early, or a reserve too many or few", "closed")
        if reserve:
            parts = b"auctionctl/reserve/v1\0", opening.salt, opening.minor.to_bytes(8, "big")
            need(h(*parts, self.rules.currency.encode()) == reserve.commitment, "another reserve", "closed")
        result = "completed", self.leader, self.price, self.bid_index
        if self.price is None or (reserve and self.price < opening.minor):
            result = "no_bids" if self.price is None else "reserve_not_met", None, None, None
        need((body.end_reason, body.winner, body.price, body.bid_index) == result, "another result", "closed")
        self.end_reason, self.leader, self.price = result[:3]
        self.winners |= {self.leader} - {None}
        if self.leader and self.rules.payment.due:
            self.sale = Sale(self.rules.payment, self.best, opening.minor if opening else 0)
            self.sale.owe(self.leader, self.at, self.present)

    def house_defaulted(self, body, now):
        cause = "late" if now >= self.sale.due else "absent"
        need(self.is_due(now) and (body.bidder, body.cause) == (self.sale.debtor, cause), "not so", "defaulted")
        self.sale.exclude(body.bidder, self.at)
        self.defaulters.add(body.bidder)

    def house_declined(self, body, now):
        need(self.is_due(now) and body.offer == self.sale.offer, "too early, or another offer", "declined")
        self.sale.exclude(self.sale.offered_to, self.at)

    def house_reverted(self, _, now):
        need(now == self.last if self.must_follow() else self.is_due(now), "too early or too late", "reverted")
        self.end_reason = "reverted"

    def deeds(self):
        """What it says of its bidders, once nothing can follow: rows as in a conduct entry, without invalid."""
        has_closed = self.end_reason != "cancelled"
        paid = self.sale.debtor if self.phase == "settled" else None
        for b in sorted({*self.seqs, *self.lefts}):
            stood = int(has_closed and b in self.seqs and b not in self.defaulters)
            row = stood, int(b in self.winners), int(b == paid), int(b in self.defaulters), self.lefts.get(b, 0)
            if any(row):
                yield b, *row

    def buyer(self):
        """Who buys the lot, and at which price, as things stand."""
        if self.sale:
            bought = self.phase in ("pending_payment", "paid", "settled")
            return (self.sale.debtor.hex(), self.sale.price) if bought else (None, None)
        return (self.leader.hex(), self.price) if self.end_reason == "completed" else (None, None)
