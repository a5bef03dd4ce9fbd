"""The registry: what a house says of whom it lets in and what it announces."""

import re
from bisect import bisect_right

from forms import need, read_bytes
from proofs import Tree, signed

DAY = 86_400 * 10**9
ROLES = {"bidder", "seller", "operator", "observer"}


def is_role(text):
    words = text.split("+")
    return set(words) <= ROLES and len(set(words)) == len(words)


class Registry:
    """The state of the registry of the house with this signing key, entry by entry."""

    def __init__(self, house):
        self.house, self.last, self.tree = house, 0, Tree()
        self.conducts, self.evidence = {}, []
        self.names, self.history, self.auctions, self.listings, self.revoked = {}, {}, set(), set(), {}

    def add(self, data):
        entry = read_bytes(data, "entry", 16384)
        need(entry.kind in ("announced", "admitted", "role", "key_revoked", "conduct"), "of no use here", "entry")
        form = "revoke" if entry.kind == "key_revoked" else entry.kind
        body = read_bytes(entry.body, form, 16384, form)
        if form == "revoke":
            message = b"auctionctl/revoke/v1\0" + entry.body
            need(signed(body.actor, message, entry.signature), "not signed by its actor", "signature")
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
        is_new = body.auction not in self.auctions and (body.seller, body.listing) not in self.listings
        self.auctions.add(body.auction)
        self.listings.add((body.seller, body.listing))
        return is_new and (body.seller == self.house or "seller" in self.roles(body.seller))

    def admitted(self, body, time):
        may = not self.roles(body.signing) and body.signing not in (self.house, *self.revoked) and is_role(body.role)
        return self.change(body, time) and may

    def role(self, body, time):
        is_other = (body.name, body.role) != (self.names.get(body.signing), "+".join(self.roles(body.signing)))
        may = self.roles(body.signing) and is_other and (not body.role or is_role(body.role))
        return self.change(body, time) and may

    def key_revoked(self, body, time):
        known = body.house == self.house and body.key != self.house and body.key in self.history
        alive = body.key not in self.revoked and body.actor not in self.revoked
        may = body.actor == body.key or self.was_operator(body.actor, time)
        self.history.setdefault(body.key, []).append((time, ""))
        self.revoked[body.key] = time
        return known and alive and may

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
        worth = [(weight(now // DAY - at // DAY), *row) for b, at, *row in self.evidence if b == bidder and at < before]
        good, bad = (sum(row[0] * row[number] for row in worth) for number in (1, 2))
        return (good + 2**32) * 10**6 // (good + bad + 2**33)

    def was_operator(self, key, time):
        history = self.history.get(key, [])
        then = [role for at, role in history if at < time][-1:] + [role for at, role in history if at == time]
        return key == self.house or any("operator" in role.split("+") for role in then)


def weight(age):
    """The greatest x with x^90 <= 2^(2880 - age)."""
    return bisect_right(range(2**32 + 1), 2 ** (2880 - age), key=lambda x: x**90) - 1


def compare(replay, announced, registry):
    """The log of an auction, announced under a checkpoint of this size and root, beside a copy of the registry."""
    size, root = announced
    need(size <= len(registry.tree.roots), "the registry ends before it", "announcement")
    need(registry.tree.roots[size - 1] == root, "in another registry", "announcement")
    for index, time, key in replay.operators:
        need(registry.was_operator(bytes.fromhex(key), time), "no operator then", "operator", index)
    for index, time, key in replay.signers:
        need(time <= registry.revoked.get(key, time), "its key was revoked before", "revoked", index)
    for index, time, bidder, stated in replay.stated:
        had = {registry.reputation(bidder, time, before) for before in (time, time + 1)}
        need(stated in had, "another reputation than stated", "reputation", index)
    if replay.phase in ("closed", "settled", "reverted"):
        due, said = list(replay.deeds()), registry.conducts.get(replay.auction)
        need(said or not due or registry.last <= replay.last, "nothing of the bidders", "conduct")
        known = [row for row in said or () if any(row[1:])]
        need(not said or known == due, "something else of the bidders", "conduct")
