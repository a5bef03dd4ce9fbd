"""Whatever is done to a log, by anybody or by the house that signs anew, both programs say the same of it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.terms import MAX_DURATION_NS, SECOND_NS, Reserve, auction_id, decode_terms
from auctionctl.replica.announcement import prove_announcement
from auctionctl.replica.export import encode_export
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.note import heads_message
from auctionctl.tlog.proof import TlogProof, encode_proof

ALL_BITS_EVERY = 23
MSGPACK = msgspec.msgpack.Encoder()


@pytest.mark.usefixtures("true_signatures_checked_once")
def test_no_bit_can_change_without_both_saying_so(book: Any, judge: Any) -> None:
    data, house = book.file(), book.house.identity
    rules: set[str] = set()
    for position in range(len(data)):
        for bit in range(8) if position % ALL_BITS_EVERY == 0 else (position % 8,):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            rule, _ = judge(bytes(damaged), house)
            rules.add(rule)
    assert rules >= {"format", "checkpoint", "terms", "signature", "entry", "time", "closed", "root", "announcement"}


@pytest.mark.usefixtures("true_signatures_checked_once")
def test_no_bit_of_an_entry_can_change_under_a_new_signature_without_both_saying_the_same(
    book: Any, judge: Any
) -> None:
    """As it is, an entry's bytes are changed and the house signs the tree anew: form, signature and rules are left."""
    for index, data in enumerate(book.entries):
        for position in range(len(data)):
            changed = bytearray(data)
            changed[position] ^= 1 << (position + index) % 8
            entries = [*book.entries[:index], bytes(changed), *book.entries[index + 1 :]]
            judge(book.with_data(*entries).file(), book.house.identity)


# Forms of one value


def variants(value: Any) -> list[bytes]:
    """Bytes that a lenient reader might take for this value."""
    match value:
        case bool() | None:
            return [b"\xc2", b"\xc3", b"\xc0", b"\x00"]
        case int():
            wide = [b"\xcf" + value.to_bytes(8, "big"), b"\xd3" + value.to_bytes(8, "big"), b"\xff", b"\xc3"]
            return [*wide, b"\xce" + (value % 2**32).to_bytes(4, "big"), MSGPACK.encode(float(value))]
        case str():
            raw = value.encode()
            return [b"\xd9%c" % len(raw) + raw, b"\xda" + len(raw).to_bytes(2, "big") + raw, b"\xc4%c" % len(raw) + raw]
        case bytes():
            return [b"\xc5" + len(value).to_bytes(2, "big") + value, b"\xc6" + len(value).to_bytes(4, "big") + value]
        case _:
            parts = b"".join(map(MSGPACK.encode, value))
            longer = [b"\xdc" + len(value).to_bytes(2, "big") + parts, b"\xdd" + len(value).to_bytes(4, "big") + parts]
            return [*longer, b"%c" % (0x91 + len(value)) + parts + b"\xc0", b"\x80", MSGPACK.encode(value[:-1])]


def forms(value: Any) -> list[bytes]:
    """Every encoding of an array in which one value, at any depth, has another form."""
    if not isinstance(value, list):
        return variants(value)
    made = variants(value)
    header = MSGPACK.encode(value)[:1]
    for position, item in enumerate(value):
        before, after = (b"".join(map(MSGPACK.encode, part)) for part in (value[:position], value[position + 1 :]))
        made += [header + before + form + after for form in forms(item)]
    return made


def test_every_other_form_of_a_value_is_refused_by_both(book: Any, judge: Any, staging: Any) -> None:
    decode = msgspec.msgpack.decode
    for index, data in enumerate(book.entries):
        for form in {*forms(decode(data))} - {data}:
            changed = book.with_data(*book.entries[:index], form, *book.entries[index + 1 :])
            assert judge(changed.file(), book.house.identity)[1] is not None
    verdicts: list[Any] = []
    for index, name in ((1, "ann"), (4, ""), (7, ""), (8, ""), (10, "ann"), (11, "")):
        body, kind = book.entry(index).body, b"join" if index == 1 else b"bid"
        for form in {*forms(decode(body))} - {body}:
            signature = staging.key_of(name).sign(b"auctionctl/" + kind + b"/v1\0" + form) if name else b""
            verdicts.append(judge(book.changed(index, body=form, signature=signature).file(), book.house.identity)[0])
    assert verdicts.count("entry") > len(verdicts) * 0.8, "the others are other values in their own form"


# Terms


LOT = {
    "title": ["", "x" * 200, "x" * 201, "\U0001f60a" * 200, "\U0001f60a" * 201, "\0"],
    "description": ["", "x" * 4_000, "x" * 4_001, "\u4e16" * 4_000],
    "estimate_minor": [None, 0, MAX_MINOR, MAX_MINOR + 1],
}
RESERVES = ((32, 0), (32, 1), (32, 512), (32, 513), (31, 1), (33, 1))
KNOWN = ("EUR", "JPY", "KWD", "XCG", "ZWG", "XAU", "XXX", "HRK", "ABC")
CURRENCIES = [*KNOWN, *(code.lower() for code in KNOWN), "Eur", "EURO", "gold", "go", "g", "", "g0", "ab_-9", "ab.c"]
CURRENCIES += ["ab" + "c" * 14, "ab" + "c" * 15, "abc\n", "\u00e4bc", "\u017fek", "us\u0131"]
RULES = {
    "format": ["english", "dutch", ""],
    "currency": CURRENCIES,
    "starting_price_minor": [0, 1, MAX_MINOR, MAX_MINOR + 1],
    "increment": [Fixed(0), Fixed(1), Fixed(MAX_MINOR), Fixed(MAX_MINOR + 1), Fixed(-1)]
    + [Percent(0), Percent(1), Percent(100_000), Percent(100_001)]
    + [
        Table(rows)
        for rows in ((), ((0, 1),), ((1, 1),), ((0, 0),), ((0, 1), (0, 2)), ((0, 9), (7, 2)), ((0, 1), (9, 1), (8, 1)))
    ]
    + [Table(((0, 1), (MAX_MINOR + extra, 1))) for extra in (0, 1)]
    + [Table(((0, MAX_MINOR + extra),)) for extra in (0, 1)]
    + [Table(tuple((bound, 1) for bound in range(rows))) for rows in (64, 65)],
    "duration_ns": [0, 1, 5, MAX_DURATION_NS, MAX_DURATION_NS + 1, 2**62, 2**62 + 1],
    "start_timeout_ns": [0, 1, MAX_DURATION_NS, MAX_DURATION_NS + 1],
    "min_bidders": [0, 1, 10_000, 10_001],
    "bid_timeout_ns": [0, SECOND_NS // 10 - 1, SECOND_NS // 10, 3_600 * SECOND_NS, 3_600 * SECOND_NS + 1],
    "soft_close_window_ns": [0, 1, 30 * SECOND_NS, 30 * SECOND_NS + 1],
    "max_extension_ns": [0, 1, MAX_DURATION_NS, MAX_DURATION_NS + 1],
    "reserve": [None, *(Reserve(b"c" * length, b"s" * sealed) for length, sealed in RESERVES)],
}
TERMS = {
    "listing": ["a", "", "A", "-a", "9", ".a", "a" * 64, "a" * 65, "a.b_c-d", "a b", "a\n", "\u00e4"],
    "house": [b"h" * 32, b"h" * 31],
    "nonce": [b"", b"n" * 15, b"n" * 16, b"n" * 17],
}


def announced(binding: type, key: Any, seller: Any, terms: Any) -> Any:
    """A log of these terms alone, properly signed and announced, whatever they say."""
    body = MSGPACK.encode(terms)
    auction = auction_id(body)
    first = encode(Entry(Kind.TERMS, 5, body, seller.sign(b"auctionctl/terms/v1\0" + body)))
    event = MSGPACK.encode(["announced", auction, terms.seller, terms.listing])
    entry = encode(Entry(Kind.ANNOUNCED, 5, event))
    tree = Tree()
    tree.append(leaf_hash(entry))
    return binding(key, auction, (first,), prove_announcement(tree, 0, entry, key))


def test_the_same_terms_are_refused(book: Any, binding: Any, judge: Any, staging: Any) -> None:
    terms, sue = decode_terms(book.entry(0).body), staging.key_of("sue")
    changed = [replace(terms, **{name: value}) for name, values in TERMS.items() for value in values]
    changed += [replace(terms, lot=replace(terms.lot, **{name: v})) for name, values in LOT.items() for v in values]
    changed += [
        replace(terms, rules=replace(terms.rules, **{name: v})) for name, values in RULES.items() for v in values
    ]
    verdicts = [judge(announced(binding, book.house, sue, each).file(), book.house.identity) for each in changed]
    assert verdicts.count(None) > 40
    assert verdicts.count(("entry", 0)) > 50
    assert verdicts.count(("terms", 0)) == 1
    assert {verdict for verdict in verdicts if verdict} == {("entry", 0), ("terms", 0)}


# Checkpoints and announcements


def test_the_same_notes_are_refused(book: Any, judge: Any) -> None:
    head, _, _ = book.file().partition(b"\n\n")
    note, proof = book.note(), book.announcement
    texts = {
        (b"\n12\n", b"\n012\n"), (b"\n12\n", b"\n+12\n"), (b"\n12\n", b"\n12\n\n"), (b"\n12\n", b"\n12 \n"),
        (b"\n12\n", b"\n12\nextension\n"), (b"/auction/", b"/auction/0"), (b"/auction/", b"/Auction/"),
        (b"\xe2\x80\x94 ", b"- "), (b"\xe2\x80\x94 ", b"\xe2\x80\x94  "), (b"=\n", b"=\r\n"), (b"=\n", b"=\n\n"),
        (b"auc1", b"AUC1"), (b"\n\n", b"\n"), (b"/auction/", b" /auction/"),
    }  # fmt: skip
    for old, new in sorted(texts):
        assert judge(head + b"\n\n" + note.replace(old, new) + b"\n" + proof, book.house.identity)[0] == "checkpoint"


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65])
def test_a_signature_of_another_length_is_no_entry(book: Any, judge: Any, length: int) -> None:
    kind, time_ns, body, _ = msgspec.msgpack.decode(book.entries[8])
    form = MSGPACK.encode([kind, time_ns, body, bytes(length)])
    changed = book.with_data(*book.entries[:8], form, *book.entries[9:])
    rules = {0: None, 64: ("signature", 8)}
    verdict = judge(changed.file(), book.house.identity)
    assert verdict == rules.get(length, ("entry", 8)) or (length == 0 and isinstance(verdict[0], bytes))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 2**16, 2**16 + 1, 2**17, 2**32 - 1])
@pytest.mark.parametrize("from_end", [0, 1, 2])
def test_heads_of_every_count_are_taken_or_refused_by_both(book: Any, judge: Any, count: int, from_end: int) -> None:
    """The house signs for a tree of which it shows one path: of the last leaf, of the one before, or of none."""
    index = (count - from_end) % 2**32
    signer = CheckpointSigner(origin_of(book.house.identity.text, f"auction/{book.auction.hex()}"), book.house)
    tree = Tree()
    for data in book.entries:
        tree.append(leaf_hash(data))
    text = signer.text(tree.size, tree.root())
    node, at, last, path = leaf_hash(text), index, max(count - 1, 0), b""
    while last and at <= last:
        if at & 1 or at < last:
            path += bytes(32)
            node = sha256(b"\1" + (bytes(32) + node if at & 1 else node + bytes(32))).digest()
        at, last = at >> 1, last >> 1
    place = index.to_bytes(4, "big") + count.to_bytes(4, "big")
    note = signer.signer.join(text, place + path + book.house.sign(heads_message(count, node)))
    verdict = judge(encode_export(book.entries, note, book.announcement), book.house.identity)
    assert (verdict[0] == "checkpoint") == (not (2 <= count <= 2**16 and index < count))


def proof_of(book: Any, wrong: str = "") -> bytes:
    """The announcement as the second entry of a registry, properly signed, and wrong in one thing."""
    terms = decode_terms(book.entry(0).body)
    fields = [b"\1" * 32 if wrong == "auction" else book.auction, b"\1" * 32 if wrong == "seller" else terms.seller]
    fields.append("other" if wrong == "listing" else terms.listing)
    body = MSGPACK.encode(["announced", *fields, *[b""] * (wrong == "body")])
    kind = Kind.ROLE if wrong == "kind" else Kind.ANNOUNCED
    entry = Entry(kind, book.entry(0).time_ns + (wrong == "time"), body, bytes(64) if wrong == "signature" else b"")
    data = encode(entry) + b"\0" * (wrong == "long")
    tree = Tree()
    for leaf in (b"before", data, *[b"after"] * (wrong == "size")):
        tree.append(leaf_hash(leaf))
    signer = CheckpointSigner(origin_of(book.house.identity.text, "registry"), book.house)
    note = signer.sign(tree.size, bytes(32) if wrong == "root" else tree.root())
    return encode_proof(TlogProof(1, tree.inclusion(1, tree.size), note, data)).encode()


def test_the_same_proofs_are_refused(book: Any, judge: Any) -> None:
    head, _, _ = book.file().partition(b"\n\n")
    start, proof = head + b"\n\n" + book.note() + b"\n", proof_of(book)
    assert len(judge(start + proof, book.house.identity)[0]) == 32
    first, extra, index, path, *rest = proof.split(b"\n")
    changed = [(first, index, path, *rest), (first, extra, path, *rest), (first, extra, index, *rest)]
    changed += [(first, extra, index, path, path, *rest), (first, extra, extra, index, path, *rest), (b"", b"")]
    changed += [(first, b"extra ", extra, index, path, *rest), (first, extra, index, path, b"", *rest), (proof, b"")]
    changed += [(first, extra, index + b"0", path, *rest), (first, extra, index[:-1] + b"01", path, *rest)]
    changed += [(first, extra, index[:-1] + b"0", path, *rest), (first, extra, index[:-1] + b"2", path, *rest)]
    changed += [(first, extra, index, *[path] * 65, *rest), (first[:-1] + b"2", extra, index, path, *rest)]
    changed += [(first, extra, index, path[:20], path[20:], *rest), (first, extra, index + b" ", path, *rest)]
    changed += [(first, extra, index, path + b"\r", *rest), (first, extra + b"=", index, path, *rest)]
    for lines in changed:
        assert judge(start + b"\n".join(lines), book.house.identity)[0] in {"announcement", "checkpoint"}
    for each in (b"", b"\n", proof[:-1], proof + b"\n", proof.replace(b"/registry", b"/auction/" + b"0" * 64)):
        assert judge(start + each, book.house.identity)[0] in {"announcement", "checkpoint"}


WRONGS = ("kind", "time", "auction", "seller", "listing", "signature", "size", "root", "body", "long")


@pytest.mark.parametrize("wrong", WRONGS)
def test_the_same_announcements_are_refused(book: Any, judge: Any, wrong: str) -> None:
    changed = type(book)(book.house, book.auction, book.entries, proof_of(book, wrong))
    assert judge(changed.file(), book.house.identity) == ("announcement", None)
