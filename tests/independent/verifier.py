"""Verify the exported log of an English auction: python verifier.py FILE [HOUSE_KEY]

A second implementation, written from the manual page auctionctl-log(5) alone and sharing nothing with auctionctl: only
the standard library and libsodium's Ed25519. One JSON object is printed, the verdict; exit status 0 if the log holds,
1 if it does not. HOUSE_KEY is the identity of the house that you know, auc1...; without it the file is believed.
"""

import base64
import functools
import io
import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

BECH32, NUMBER = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", "(0|[1-9][0-9]{0,18})"
GENERATORS = 0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3
KINDS = """terms joined left opened bid gap closed cancelled announced admitted role paused resumed payment
    payment_rejected settled defaulted offered accepted declined reverted takeover key_rotated key_revoked"""
CODES = """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
    HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
    RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
    TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"""
NEXT = {"": "terms", "announced": "joined left gap opened cancelled", "open": "joined left bid gap closed"}
SIGNERS = {"terms": "seller", "joined": "bidder", "bid": "bidder"}
LONG = {0xCC: (int, 1, 128), 0xCD: (int, 2, 256), 0xCE: (int, 4, 2**16), 0xCF: (int, 8, 2**32)}  # type, width, least
LONG |= {0xC4: (bytes, 1, 0), 0xC5: (bytes, 2, 256), 0xD9: (str, 1, 32), 0xDA: (str, 2, 256), 0xDC: (list, 2, 16)}
FORMS = {  # fields in the notation of the manual page; ? allows nil; the type that begins an array is not among them
    "entry": "kind str; time uint 0..9223372036854775807; body bin; signature bin 0..64",
    "terms": "house bin 32; seller bin 32; nonce bin 16; listing str; lot lot; rules rules",
    "lot": "title str 1..200; description str 0..4000; estimate uint 0..10^15?",
    "rules": "format str; currency str; starting_price uint 0..10^15; increment increment; duration uint 1..366d; "
    "start_timeout uint 1..366d; min_bidders uint 1..10000; bid_timeout uint 10^8..3600000000000; "
    "soft_close uint 0..366d; max_extension uint 0..366d; reserve reserve?",
    "reserve": "commitment bin 32; sealed bin 1..512",
    "fixed": "step uint 1..10^15",
    "percent": "basis_points uint 1..10^5",
    "table": "rows rows",
    "row": "bound uint 0..10^15; step uint 1..10^15",
    "joined": "house bin 32; auction bin 32; bidder bin 32; nonce bin 16; placed uint 0..2^62; not_after uint 0..2^62",
    "bid": "house bin 32; auction bin 32; bidder bin 32; seq uint 1..2^53; amount uint 1..10^15; currency str 1..16; "
    "placed uint 0..2^62; not_after uint 0..2^62; head_size uint 0..2^53; head_root bin 0..32",
    "opened": "",
    "left": "bidder bin 32",
    "gap": "since uint 0..2^62; until uint 0..2^62; cause str",
    "cancelled": "reason str 0..64",
    "closed": "end_reason str; winner bin 32?; price uint 0..10^15?; bid_index uint?; reserve opening?",
    "opening": "minor uint 0..10^15; salt bin 32",
    "announced": "auction bin 32; seller bin 32; listing str 1..64",
}


def need(holds, reason, rule=None):
    """Refuse by the word of a rule, or as a wrong form, whose word the caller knows."""
    if not holds:
        raise ValueError(reason, rule) if rule else ValueError(reason)


def h(*parts):
    return sha256(b"".join(parts)).digest()


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "not base64 in its strict form")
    return data


def identity_key(identity):
    """The signing key of a party by its text in bech32m."""
    need(re.fullmatch(f"auc1[{BECH32}]{{109}}", identity), "not an identity")
    values, check = [BECH32.index(character) for character in identity[4:]], 1
    for value in [3, 3, 3, 0, 1, 21, 3, *values]:  # auc, expanded
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    bits = int("".join(f"{value:05b}" for value in values[:-6]), 2)
    need(check == 0x2BC830A3 and bits & 7 == 0, "checksum or padding of an identity")
    return (bits >> 3).to_bytes(64, "big")[:32]


def unpack(stream, depth=8):
    """The next value in msgpack, which must be in its shortest form."""

    def take(size):
        need(len(data := stream.read(size)) == size, "cut off")
        return data

    byte = take(1)[0]
    if byte < 0x80 or byte == 0xC0:
        return None if byte == 0xC0 else byte
    need(depth and (byte in LONG or 0x90 <= byte < 0xC0), "another type, or nested too deeply")
    kind, number = (list, byte - 0x90) if byte < 0xA0 else (str, byte - 0xA0)
    if byte in LONG:
        kind, width, least = LONG[byte]
        number = int.from_bytes(take(width), "big")
        need(number >= least, "not the shortest form")
    if kind is list:
        return [unpack(stream, depth - 1) for _ in range(number)]
    return number if kind is int else take(number).decode() if kind is str else take(number)


def read(value, form, word=None):
    """The value if it has the form, else ValueError; an array, after word if one is given, as a namespace of fields."""
    if form.endswith("?"):
        return None if value is None else read(value, form[:-1])
    if form == "increment":
        need(isinstance(value, list) and value and value[0] in ("fixed", "percent", "table"), "not an increment")
        return read(value, value[0], value[0])
    if form == "rows":
        need(isinstance(value, list) and 1 <= len(value) <= 64, "not 1 to 64 rows")
        return [read(row, "row") for row in value]
    if form not in FORMS:
        kind, _, bounds = form.replace("366d", "31622400000000000").partition(" ")
        powers = [number.split("^") for number in (bounds or "0..2^64").split("..")]
        numbers = [int(power[0]) ** int(power[-1] if power[1:] else 1) for power in powers]
        need(isinstance(value, {"uint": int, "str": str, "bin": bytes}[kind]), f"not {form}")
        need(numbers[0] <= (value if kind == "uint" else len(value)) <= numbers[-1], f"not {form}")
        return value
    need(isinstance(value, list) and (not word or value[:1] == [word]), f"not an array of {form}")
    fields, values = [field.split(" ", 1) for field in FORMS[form].split("; ") if field], value[1:] if word else value
    need(len(values) == len(fields), f"{form} of {len(values)} fields")
    return SimpleNamespace(word=word, **{name: read(item, of) for (name, of), item in zip(fields, values, strict=True)})


def read_bytes(data, form, most, word=None):
    """All of data, one array of the form in canonical msgpack, and what its fields have to say to one another."""
    need(len(data) <= most, f"{form} too long")
    array = read(unpack(stream := io.BytesIO(data)), form, word)
    need(not stream.read(1), "bytes after the array")
    if form == "terms":
        rules, currency = array.rules, array.rules.currency
        need(
            rules.format == "english" and re.fullmatch("[a-z0-9][a-z0-9._-]{0,63}", array.listing), "format or listing"
        )
        own = re.fullmatch("[a-z]{2}[a-z0-9_-]{0,14}", currency) and currency.upper() not in CODES.split()
        need(own or currency in CODES.split(), "not a currency")
        need(rules.soft_close <= rules.duration and (not rules.soft_close) == (not rules.max_extension), "soft close")
        bounds = [row.bound for row in rules.increment.rows] if rules.increment.word == "table" else [0]
        need(bounds[0] == 0 and bounds == sorted(set(bounds)), "bounds do not rise from 0")
    need(form != "entry" or (array.kind in KINDS.split() and len(array.signature) in (0, 64)), "kind or signature")
    need(form != "gap" or array.cause in ("restart", "gateway_lost", "stalled"), "cause of a gap")
    need(form != "bid" or len(array.head_root) == (32 if array.head_size else 0), "root of a head")
    return array


def signed(key, message, signature):
    try:
        return len(signature) == 64 and crypto_sign_open(signature + message, key) == message
    except BadSignatureError:
        return False


def climb(node, at, count, proof):
    """The root above a node that is number at of count, by a proof that must be used up."""
    need(at < count, "index beyond the tree")
    last = count - 1
    while last:
        if at & 1 or at < last:
            need(proof, "too short a proof")
            node, proof = h(b"\1", proof[0], node) if at & 1 else h(b"\1", node, proof[0]), proof[1:]
        at, last = at >> 1, last >> 1
    need(not proof, "too long a proof")
    return node


def read_note(note, log, house):
    """The name of the log, size and root in a checkpoint that the house signed in one of the two forms."""
    match = re.fullmatch(f"({log})\n{NUMBER}\n(\\S+)\n\n\u2014 \\1 (\\S+)\n", note)
    need(match and int(match[2]) < 2**63, "not a checkpoint")
    text, name = note[: match.end(3) + 1].encode(), match[1].encode()
    root, blob = unbase64(match[3]), unbase64(match[4])
    key_id, message = h(name, b"\n\1", house), text
    if len(blob) != 68:
        index, count = int.from_bytes(blob[4:8], "big"), int.from_bytes(blob[8:12], "big")
        need(len(blob) in range(108, 589, 32) and 2 <= count <= 65536, "not a signature")
        top = climb(h(b"\0", text), index, count, [blob[at : at + 32] for at in range(12, len(blob) - 64, 32)])
        key_id, message = h(name, b"\n\xffauctionctl/heads/v1", house), b"auctionctl/heads/v1\0" + blob[8:12] + top
    need(blob[:4] == key_id[:4] and signed(house, message, blob[-64:]), "not signed by the house")
    return match[1], int(match[2]), root


def check_announcement(proof, identity, house, replay):
    match = re.fullmatch(f"extra (\\S+)\nindex {NUMBER}\n((?:\\S+\n){{0,64}})\n(.*)", proof, re.DOTALL)
    need(match, "not a proof of an entry")
    extra, index, hashes = unbase64(match[1]), int(match[2]), [unbase64(line) for line in match[3].split()]
    _, size, root = read_note(match[4], f"{identity}/registry", house)
    need(size == index + 1, "not the checkpoint that ends with it")
    need(all(len(p) == 32 for p in hashes) and climb(h(b"\0", extra), index, size, hashes) == root, "not in the tree")
    entry = read_bytes(extra, "entry", 16384)
    need(entry.kind == "announced" and not entry.signature, "not an announcement")
    body = read_bytes(entry.body, "announced", 16384, "announced")
    ours = replay.auction, replay.terms.seller, replay.terms.listing, replay.start
    need((body.auction, body.seller, body.listing, entry.time) == ours, "of another auction, or of another time")


class Replay:
    """The state of an auction, entry by entry; what an entry may not be or say is refused."""

    def __init__(self, house, auction):
        self.house, self.auction, self.phase, self.last, self.bids, self.extensions = house, auction, "", 0, 0, 0
        self.present, self.nonces, self.seqs, self.peaks, self.roots, self.contested = set(), set(), {}, [], [], []
        self.price = self.leader = self.bid_index = self.end_reason = None

    def add(self, data):
        entry = read_bytes(data, "entry", 16384)
        kind, now, signer = entry.kind, entry.time, SIGNERS.get(entry.kind)
        need(now >= self.last, "earlier than the entry before", "time")
        need(kind in NEXT.get(self.phase, "").split(), f"{kind} is not allowed here", "phase")
        full = self.phase == "announced" and len(self.present) >= self.rules.min_bidders
        need(kind == "opened" or not full, "it has to open", "opened")
        need(kind != "terms" or h(entry.body) == self.auction, "not the terms of this auction", "terms")
        need(signer or not entry.signature, "an entry of the house has a signature", "signature")
        word = "join" if kind == "joined" else kind
        body = read_bytes(entry.body, kind, 12288 if kind == "terms" else 16384, word)
        need(kind != "terms" or body.house == self.house, "of another house", "terms")
        message = f"auctionctl/{word}/v1\0".encode() + entry.body
        need(not signer or signed(getattr(body, signer), message, entry.signature), f"not by the {signer}", "signature")
        if signer == "bidder":
            self.judge(kind == "bid", body, now)
            self.floor = max(self.floor, now)
        self.apply(kind, body, now)
        self.last = now
        self.peaks.append((1, h(b"\0", data)))
        while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
            (size, right), (_, left) = self.peaks.pop(), self.peaks.pop()
            self.peaks.append((2 * size, h(b"\1", left, right)))
        self.roots.append(functools.reduce(lambda right, left: h(b"\1", left, right), [p for _, p in self.peaks[::-1]]))

    def judge(self, bid, body, now):
        seq, price, first = self.seqs.get(body.bidder, 0), self.price, max(1, self.rules.starting_price)
        for word, wrong in (
            ("wrong_auction", body.auction != self.auction),
            ("wrong_house", body.house != self.house),
            ("closed", now >= (self.start_deadline if self.phase == "announced" else self.end)),
            ("own_auction", body.bidder == self.terms.seller),
            ("not_joined", bid and body.bidder not in self.present),
            ("already_joined", not bid and body.bidder in self.present),
            ("join_repeated", not bid and (body.bidder, body.nonce) in self.nonces),
            ("wrong_currency", bid and body.currency != self.rules.currency),
            ("sequence_conflict", bid and body.seq == seq),
            ("stale", bid and body.seq < seq),
            ("expired", body.not_after < now),
            ("not_after_too_far", body.not_after > now + self.rules.bid_timeout),
            ("below_starting_price", bid and price is None and body.amount < first),
            ("already_leading", bid and body.bidder == self.leader),
            ("below_increment", bid and price is not None and body.amount < price + self.step(price)),
        ):
            need(not wrong, f"{word} is true of it", word)

    def step(self, price):
        steps = self.rules.increment
        if steps.word == "table":
            return [row.step for row in steps.rows if row.bound <= price][-1]
        return steps.step if steps.word == "fixed" else max(1, -(-price * steps.basis_points // 10_000))

    def apply(self, kind, body, now):
        if kind == "terms":
            self.terms, self.rules, self.phase, self.start, self.floor = body, body.rules, "announced", now, now
            self.start_deadline = now + self.rules.start_timeout
        elif kind == "joined":
            self.nonces.add((body.bidder, body.nonce))
            self.present.add(body.bidder)
        elif kind == "left":
            need(body.bidder in self.present, "it was not there", "left")
            self.present.remove(body.bidder)
        elif kind == "opened":
            need(len(self.present) >= self.rules.min_bidders and now == self.last, "too few, or too late", "opened")
            self.phase, self.end = "open", now + self.rules.duration
            self.max_end = self.end + self.rules.max_extension
        elif kind == "bid":
            self.seqs[body.bidder], self.bids, index = body.seq, self.bids + 1, len(self.roots)
            self.price, self.leader, self.bid_index = body.amount, body.bidder, index
            if body.head_size > index or (body.head_size and self.roots[body.head_size - 1] != body.head_root):
                self.contested.append(index)
            moved = min(now + self.rules.soft_close, self.max_end)
            if self.end - now < self.rules.soft_close and moved > self.end:
                self.end, self.extensions = moved, self.extensions + 1
        elif kind == "gap":
            need(self.floor <= body.since <= body.until <= now + 5 * 10**9, "out of its bounds", "gap")
            self.floor, length = body.until, body.until - body.since
            if self.phase == "announced" and self.start_deadline > body.since:
                self.start_deadline += length
            elif self.phase == "open" and self.end > body.since:
                self.end, self.max_end = self.end + length, self.max_end + length
        elif kind == "cancelled":
            need(now >= self.start_deadline and body.reason == "min_bidders", "too early, or why", "cancelled")
            self.phase, self.end_reason = "closed", "cancelled"
        else:
            self.close(body, self.rules.reserve, body.reserve, now)

    def close(self, body, reserve, opening, now):
        need(now >= self.end and (not reserve) == (not opening), "too early, or a reserve too many or few", "closed")
        if reserve:
            parts = b"auctionctl/reserve/v1\0", opening.salt, opening.minor.to_bytes(8, "big")
            need(h(*parts, self.rules.currency.encode()) == reserve.commitment, "another reserve", "closed")
        result = "completed", self.leader, self.price, self.bid_index
        if self.price is None or (reserve and self.price < opening.minor):
            result = "no_bids" if self.price is None else "reserve_not_met", None, None, None
        need((body.end_reason, body.winner, body.price, body.bid_index) == result, "another result", "closed")
        self.phase, self.end_reason, self.leader, self.price = "closed", *result[:3]


def check(data, known=None):
    """The verdict on a file, as a dictionary; known is the identity of the house."""
    rule, index = "format", None
    try:
        head, cut, rest = data.partition(b"\n\n")
        lines = head.decode("latin-1").split("\n")
        need(cut and len(lines) >= 3 and lines[0] == "auctionctl-log/v1", "not a log")
        need(lines[1] == str(len(lines) - 2), "another number of entries")
        entries = []
        for index, line in enumerate(lines[2:]):  # noqa: B007 - the refusal below names it
            entries.append(unbase64(line))
        rule, index = "checkpoint", None
        note, announced, proof = rest.partition(b"\n\nc2sp.org/tlog-proof@v1\n")
        identity = note.split(b"/")[0].decode()
        house = identity_key(identity)
        need(known in (None, identity), "of another house")
        note = (note + b"\n" if announced else note).decode()
        origin, size, root = read_note(note, f"{identity}/auction/[0-9a-f]{{64}}", house)
        rule, replay = "entry", Replay(house, bytes.fromhex(origin[-64:]))
        for index, entry in enumerate(entries):  # noqa: B007
            replay.add(entry)
        index = None
        need(size == len(entries), "of another number of entries", "checkpoint")
        need(root == replay.roots[-1], "of other entries", "root")
        rule = "announcement"
        need(announced, "it is missing")
        check_announcement(proof.decode(), identity, house, replay)
    except ValueError as error:
        rule = error.args[1] if len(error.args) == 2 else rule
        return {"verified": False, "rule": rule, "index": index, "reason": str(error.args[0])}
    finished, sold = replay.phase == "closed", replay.end_reason == "completed"
    result = {"end_reason": replay.end_reason, "winner": replay.leader.hex() if sold else None}
    result |= {"price": replay.price if sold else None, "currency": replay.rules.currency, "bids": replay.bids}
    result |= {"entries": len(entries), "extensions": replay.extensions, "contested": replay.contested}
    return {"verified": True, "finished": finished, **result}


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    verdict = check(Path(sys.argv[1]).read_bytes(), *sys.argv[2:])
    print(json.dumps(verdict))
    sys.exit(not verdict["verified"])
