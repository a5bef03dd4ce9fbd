"""The registry: what a house says of whom it lets in and what it announces."""

import re
from bisect import bisect_right

from forms import need, read_bytes
from proofs import Tree, signed

DAY = 86_400 * 10**9
ROLES = {"bidder", "seller", "operator", "observer"}
SIGNED = {"key_revoked": ("revoke", "actor"), "key_rotated": ("rotate", "key")}
FINISHING = ["payment", "payment_rejected", "settled", "offered", "accepted", "declined"]


def is_role(text):
    words = text.split("+")
    return set(words) <= ROLES and len(set(words)) == len(words)


class Registry:
    """The state of the registry of the house with this signing key, entry by entry."""

    def __init__(self, house):
        self.house, self.last, self.tree = house, 0, Tree()
        self.conducts, self.evidence = {}, []
        self.names, self.history, self.auctions, self.listings, self.revoked = {}, {}, set(), set(), {}
        self.rotated, self.holders, self.transports = {}, {}, set()

    def add(self, data):
        entry = read_bytes(data, "entry", 16384)
        need(entry.kind in ("announced", "admitted", "role", *SIGNED, "conduct"), "of no use here", "entry")
        form, signer = SIGNED.get(entry.kind, (entry.kind, None))
        body = read_bytes(entry.body, form, 16384, form)
        if signer:
            message = f"auctionctl/{form}/v1\0".encode() + entry.body
            need(signed(getattr(body, signer), message, entry.signature), "not signed by its actor", "signature")
            if form == "rotate":  # the body of succeed: another word before, and no consent after, 66 bytes
                message = b"auctionctl/succeed/v1\0\x95\xa7succeed" + entry.body[8:-66]
                need(signed(body.signing, message, body.consent), "not signed by the new key", "signature")
        else:
            need(not entry.signature, "an entry of the registry has a signature", "signature")
        need(entry.time >= self.last, "earlier than the entry before", "time")
        need(getattr(self, entry.kind)(body, entry.time), "not so", entry.kind)
        self.last = entry.time
        self.tree.add(data)

    def roles(self, key):
        """The present ones: none of whoever is not let in."""
        return [role for role in self.history.get(key, [(0, "")])[-1][1].split("+") if role]

    def announced(self, body, _):
        is_new = body.auction not in self.auctions and (self.holder(body.seller), body.listing) not in self.listings
        self.auctions.add(body.auction)
        self.listings.add((self.holder(body.seller), body.listing))
        return is_new and (body.seller == self.house or "seller" in self.roles(body.seller))

    def admitted(self, body, time):
        may = not self.roles(body.signing) and body.signing not in (self.house, *self.revoked, *self.rotated)
        self.transports.add(body.transport)
        return self.change(body, time) and may and is_role(body.role)

    def role(self, body, time):
        is_other = (body.name, body.role) != (self.names.get(body.signing), "+".join(self.roles(body.signing)))
        may = self.roles(body.signing) and is_other and (not body.role or is_role(body.role))
        return self.change(body, time) and may

    def key_revoked(self, body, time):
        known = body.house == self.house and body.key != self.house and body.key in self.history
        alive = body.key not in self.revoked and body.actor not in (*self.revoked, *self.rotated)
        may = body.actor == body.key or self.was_operator(body.actor, time)
        self.history.setdefault(body.key, []).append((time, ""))
        self.revoked[body.key] = time
        return known and alive and may

    def key_rotated(self, body, time):
        may = body.house == self.house and body.key != self.house and self.roles(body.key)
        new = body.signing != self.house and body.signing not in self.history and body.transport not in self.transports
        self.history[body.signing] = [(time, "+".join(self.roles(body.key)))]
        self.history.setdefault(body.key, []).append((time, ""))
        self.transports.add(body.transport)
        self.names[body.signing], self.rotated[body.key] = self.names.get(body.key), time
        self.holders[body.signing] = self.holder(body.key)
        return may and new

    def holder(self, key):
        """By the first of its keys."""
        return self.holders.get(key, key)

    def change(self, body, time):
        """Whether the name is one."""
        self.names[body.signing] = body.name
        self.history.setdefault(body.signing, []).append((time, body.role))
        return re.fullmatch("[a-z0-9][a-z0-9._-]{0,31}", body.name)

    def conduct(self, body, time):
        rows = self.conducts.setdefault(body.auction, [])
        for _, b, stood, won, paid, defaulted, left, invalid in (vars(deed).values() for deed in body.deeds):
            sound = (stood or won or left or invalid) and paid + defaulted <= won and stood + defaulted <= 1
            need(sound and (not rows or b > rows[-1][0]), "out of order, or not so", "conduct")
            rows.append((b, stood, won, paid, defaulted, left))
            self.evidence.append((b, time, stood + 3 * paid, 12 * defaulted + min(left, 3) + min(invalid, 5)))
        return body.auction in self.auctions

    def reputation(self, bidder, now, before):
        keys = [key for key in {bidder, *self.holders, *self.rotated} if self.holder(key) == self.holder(bidder)]
        worth = [(weight(now // DAY - at // DAY), *row) for b, at, *row in self.evidence if at < before and b in keys]
        good, bad = (sum(row[0] * row[number] for row in worth) for number in (1, 2))
        return (good + 2**32) * 10**6 // (good + bad + 2**33)

    def was_operator(self, key, time, s=0):
        history = self.history.get(key, [])
        then = [role for at, role in history if at < time - s][-1:] + [r for at, r in history if abs(at - time) <= s]
        return key == self.house or any("operator" in role.split("+") for role in then)


def weight(age):
    """The greatest x with x^90 <= 2^(2880 - age)."""
    return bisect_right(range(2**32 + 1), 2 ** (2880 - age), key=lambda x: x**90) - 1


def compare(replay, size, root, registry):
    """The log of an auction, announced under a checkpoint of this size and root, beside a copy of the registry."""
    need(size <= len(registry.tree.roots), "the registry ends before it", "announcement")
    need(registry.tree.roots[size - 1] == root, "in another registry", "announcement")
    slack = lambda index: 5 * 10**9 if index > replay.taken else 0  # noqa: E731
    for index, time, key in replay.operators:
        need(registry.was_operator(bytes.fromhex(key), time, slack(index)), "no operator then", "operator", index)
    for index, time, key, _ in replay.signers:
        need(time <= registry.revoked.get(key, time) + slack(index), "its key was revoked before", "revoked", index)
    here = {registry.holder(replay.terms.seller): replay.terms.seller}
    for index, time, key, kind in replay.signers:
        late = time > registry.rotated.get(key, time) + slack(index) and kind not in FINISHING
        other = kind == "joined" and here.setdefault(registry.holder(key), key) != key
        need(not late and not other, "its key was replaced before, or another of its keys was here", "rotated", index)
    for index, time, bidder, stated in replay.stated:
        said = [at + 1 for _, at, *_ in registry.evidence if abs(at - time) <= slack(index)]
        had = {registry.reputation(bidder, time, before) for before in (time - slack(index), *said)}
        need(stated in had, "another reputation than stated", "reputation", index)
    if replay.phase in ("closed", "settled", "reverted"):
        due, said = list(replay.deeds()), registry.conducts.get(replay.auction)
        by = replay.last + slack(len(replay.tree.roots) - 1)
        need(said or not due or registry.last <= by, "nothing of the bidders", "conduct")
        known = [row for row in said or () if any(row[1:])]
        need(not said or known == due, "something else of the bidders", "conduct")
