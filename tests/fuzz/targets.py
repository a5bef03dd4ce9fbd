"""Every decoder of what comes from outside, as a function from bytes to whether they were accepted.

Rule: only the documented errors come out; what is accepted re-encodes to itself, where the format has one form only.
Anything else is a failure: another exception, or :class:`Malleable`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import corpus as seeds
from corpus import corpus

from auctionctl.auction.bid import decode_bid, decode_join, encode_bid, encode_join
from auctionctl.auction.commands import decode_command, encode_command
from auctionctl.auction.events import decode_event, encode_event
from auctionctl.auction.price import format_minor, parse_money
from auctionctl.auction.terms import Terms, decode_opening, decode_terms, encode_opening, encode_terms
from auctionctl.cli.settings.contexts import read_context_values
from auctionctl.cli.settings.durations import format_duration, parse_duration
from auctionctl.cli.settings.house_file import read_house_values
from auctionctl.cli.settings.lots import read_auction_values
from auctionctl.cli.settings.person_file import read_person_values
from auctionctl.client.bid_journal import parse_journal
from auctionctl.client.toml_file import parse_toml
from auctionctl.errors import (
    AllowListError,
    ConfigurationError,
    KeyFileError,
    KeyTextError,
    MalformedEntryError,
    MoneyError,
    NoteError,
    RemoteProtocolError,
    TermsError,
    VerificationError,
)
from auctionctl.keys import allowlist
from auctionctl.keys.encoding import PUBLIC_PREFIX, SECRET_PREFIX, decode, encode, encode_words
from auctionctl.keys.keyfile import StoredKey, parse_key_file
from auctionctl.replica.announcement import check_announcement
from auctionctl.replica.export import HEADER, decode_export, encode_export
from auctionctl.replica.proven import ACCEPTED, BEFORE, CLOCK_HEAD, ENTRY, HEAD, LOG, NOW, REFUSED, judge
from auctionctl.replica.registry import decode_registry_event, encode_registry_event
from auctionctl.tlog import entry as entries
from auctionctl.tlog.checkpoint import open_checkpoint, parse
from auctionctl.tlog.cosignature import open_timed
from auctionctl.tlog.entry import Kind
from auctionctl.tlog.note import is_signed_alone, sign_note
from auctionctl.tlog.proof import decode_receipt, encode_proof
from auctionctl.views.peer_text import safe_text
from auctionctl.wire import messages
from auctionctl.wire.address import parse_address
from auctionctl.wire.frames import check_frames, domain, message_type

PATH = Path("a file")
MANY, CASES = 200_000, 10_000
"""Inputs in each run of the suite. Cases of evidence, which are other decoders' inputs put together, have fewer."""
Check = Callable[[bytes], bool]
Chance = Callable[[], float]


class Malleable(AssertionError):
    """Something was accepted that is not the one form of what it says."""


@dataclass(frozen=True)
class Target:
    """``check`` raises nothing but one of ``errors`` on any input of :class:`mutator.Mutator`."""

    check: Check
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Sequence[bytes]]
    is_text: bool = False
    repair: Callable[[bytes, Chance], bytes] | None = None
    inputs: int = MANY


def same(again: object, data: object) -> bool:
    if again != data:
        raise Malleable(f"accepted, and re-encodes to {again!r}")
    return True


def text_of(data: bytes) -> str:
    """As Python hands on arguments and file names: what is not UTF-8 becomes lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


# The wire


def _frames(data: bytes) -> bool:
    """The first byte says how many frames, the second where they are cut."""
    count, cut = (data[0] % 4, data[1]) if len(data) > 1 else (0, 0)
    body, signature = data[2 : max(2, len(data) - 64 - cut % 3 + 1)], data[max(2, len(data) - 64 - cut % 3 + 1) :]
    frames = [body, signature][:count] + [signature] * (count - 2)
    domain(message_type(body))
    message = check_frames(frames, 200)
    return same(list(message), frames)


def _request(data: bytes) -> bool:
    return same(messages.encode(messages.decode_request(data)), data)


def _reply(data: bytes) -> bool:
    if message_type(data) == "rejection":
        return same(messages.encode(messages.decode_rejection(data)), data)
    return same(messages.encode(messages.decode_reply(data)), data)


# Logs


def _entry(data: bytes) -> bool:
    return same(entries.encode(entries.decode(data)), data)


def _house_event(data: bytes) -> bool:
    return same(encode_event(decode_event(message_type(data), data)), data)


KEY_KINDS: Final = {"revoke": Kind.KEY_REVOKED, "rotate": Kind.KEY_ROTATED}
"""Statements that others sign are called otherwise than the entries that hold them."""


def _registry_event(data: bytes) -> bool:
    name = message_type(data)
    kind = KEY_KINDS.get(name) or (Kind(name) if name in Kind.__members__.values() else Kind.ANNOUNCED)
    return same(encode_registry_event(decode_registry_event(kind, data)), data)


def _signed(data: bytes) -> bool:
    match message_type(data):
        case "bid":
            return same(encode_bid(decode_bid(data)), data)
        case "join":
            return same(encode_join(decode_join(data)), data)
        case _:
            return same(encode_command(decode_command(data)), data)


def _terms(data: bytes) -> bool:
    return same(encode_terms(decode_terms(data)), data)


def _opening(data: bytes) -> bool:
    return same(encode_opening(decode_opening(data)), data)


def _note(data: bytes) -> bool:
    """Whoever does not hold the key has nothing accepted but what was signed; whoever does, one text a checkpoint."""
    origin = f"{corpus().key.identity.text}/auction/{corpus().auction.hex()}"
    checkpoint = open_checkpoint(data, origin, corpus().key.identity.signing)
    same(checkpoint.text, data[: data.rindex(b"\n\n") + 1].decode())
    same(parse(checkpoint.text), checkpoint)
    return same(sign_note(checkpoint.text, origin, corpus().key), data) if is_signed_alone(data) else True


def _sign_again(data: bytes, chance: Chance) -> bytes:
    """The text as it has become, under a good signature."""
    text = data[: data.rfind(b"\n\n") + 1]
    origin = f"{corpus().key.identity.text}/auction/{corpus().auction.hex()}"
    try:
        return sign_note(text.decode(), origin, corpus().key)
    except (NoteError, UnicodeDecodeError):
        return data


def _clock_head(data: bytes) -> bool:
    house = corpus().key.identity
    open_timed(data, f"{house.text}/auction/{corpus().auction.hex()}", house.text, house.signing)
    return same(corpus().clock_head, data)


def _proof(data: bytes) -> bool:
    return same(encode_proof(decode_receipt(text_of(data))), text_of(data))


def _announcement(data: bytes) -> bool:
    check_announcement(data, corpus().key.identity, corpus().auction, _announced())
    return same(corpus().announcement, data)


@cache
def _announced() -> Terms:
    return decode_terms(corpus().terms_body)


def _export(data: bytes) -> bool:
    return same(encode_export(*decode_export(data)), data)


def _count_again(data: bytes, chance: Chance) -> bytes:
    """The number of lines as it has become."""
    head, blank, rest = data.partition(b"\n\n")
    lines = head.split(b"\n")
    return b"\n".join([HEADER, b"%d" % (len(lines) - 2), *lines[2:]]) + blank + rest


# Keys, and who may come in


def _key_text(data: bytes) -> bool:
    text = text_of(data)
    prefix = SECRET_PREFIX if text[:1] == "A" else PUBLIC_PREFIX
    return same(encode(prefix, decode(prefix, text)), text)


def _sum_again(data: bytes, chance: Chance) -> bytes:
    """The same words under a good checksum."""
    prefix, _, tail = data.rpartition(b"1")
    values = [b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".find(bytes((each,))) for each in tail.lower()[:-6]]
    try:
        text = encode_words(prefix.decode(), [value for value in values if value >= 0])
    except UnicodeError:
        return data
    return (text.upper() if prefix.isupper() else text).encode()


def _key_file(data: bytes) -> bool:
    found = parse_key_file("a key file", data)
    return True if isinstance(found, StoredKey) else same(found.text.encode(), data)


def _allow_list(data: bytes) -> bool:
    text = text_of(data)
    found = allowlist.parse(text)
    lines = "".join(f"{allowlist.render(entry)}\n" for entry in found)
    return same(tuple(allowlist.parse(lines)), tuple(found))


def _address(data: bytes) -> bool:
    address = parse_address(text_of(data))
    return same(parse_address(address.text), address)


# Files of settings, and what is kept


def _house_file(data: bytes) -> bool:
    read_house_values(PATH, parse_toml(PATH, data))
    return True


def _auctions_file(data: bytes) -> bool:
    read_auction_values(PATH, parse_toml(PATH, data))
    return True


def _person_file(data: bytes) -> bool:
    values = parse_toml(PATH, data)
    if "contexts" in values or "current" in values:
        read_context_values(PATH, values)
    else:
        read_person_values(PATH, values)
    return True


def _journal(data: bytes) -> bool:
    parse_journal(data, corpus().bidder.identity, corpus().key.identity)
    return True


KINDS_OF_CASES = ((REFUSED, ACCEPTED), (BEFORE, NOW, LOG), (CLOCK_HEAD, HEAD, ENTRY))
_BETWEEN = b"\n\xff\xff"


def _case(data: bytes) -> bool:
    """The files of a case, one behind the other: whatever they hold is judged, and nothing raised."""
    for names in KINDS_OF_CASES:
        judge(dict(zip(names, data.split(_BETWEEN), strict=False)))
    return True


def _cases() -> list[bytes]:
    bids = [signature + body for body, signature in corpus().bids]
    return [
        _BETWEEN.join(files)
        for files in (
            (bids[0], bids[2]),
            (corpus().note, corpus().note, _small_exports()[0]),
            (corpus().clock_head, corpus().note, corpus().announcement),
        )
    ]


def _money(data: bytes) -> bool:
    text = text_of(data)
    if text.strip()[-1:] in "smhd" and "cred" not in text:
        return same(parse_duration(format_duration(parse_duration(text))), parse_duration(text))
    money = parse_money(text)
    return same(parse_money(format_minor(money.minor, money.currency)), money)


def _peer_text(data: bytes) -> bool:
    """Whatever it is, what is shown of it is one line that moves nothing, and showing that again changes nothing."""
    shown = safe_text(text_of(data))
    if not shown.isprintable() or not 1 <= len(shown) <= 120:
        raise Malleable(f"shown as {shown!r}")
    return same(safe_text(shown), shown)


def _journal_seeds() -> list[bytes]:
    lines = [b"sent %b %b" % (b64encode(body), b64encode(signature)) for body, signature in corpus().bids[:1]]
    return [b"\n".join([b"auctionctl-bids/1", *lines, b"end %d" % len(lines), b""])]


def _small_exports() -> list[bytes]:
    """Few entries: a file of a megabyte is read no otherwise, and later."""
    return [
        encode_export(corpus().entries[1:3], corpus().note, b""),
        encode_export([b"e"], corpus().note, corpus().announcement[:200]),
    ]


def _lists() -> list[bytes]:
    ann, house = corpus().bidder.identity.text, corpus().key.identity.text
    return [f"{house} h # us\n".encode(), f"# who\n{ann} ann role=seller+bidder".encode()]


def _addresses() -> list[bytes]:
    house = corpus().key.identity.text
    return [
        f"auction://{house}@{where}".encode() for where in ("127.0.0.1:8888", "[::1]:1", "a.example", "a:1,b,[::1]:3")
    ]


MONEY = (b"12.50EUR", b"0.5 EUR", b"1000JPY", b"1.234BHD", b"7credits", b"1h30m", b"500ms", b"1d", b"10s")
WORDS = ("A lamp [bold]", "\u202egnp.exe", "a\u200bb", "\x1b]0;x\x07", "AUC-SECRET-KEY-1QQQ", "e\u0301" * 9)
PROTOCOL, ENTRY = (RemoteProtocolError,), (MalformedEntryError,)

TARGETS: dict[str, Target] = {
    "frames": Target(_frames, PROTOCOL, lambda: [b"\x02\x01" + body[:80] + b"s" * 64 for body in corpus().requests]),
    "requests": Target(_request, PROTOCOL, lambda: corpus().requests),
    "replies": Target(_reply, PROTOCOL, lambda: corpus().replies),
    "bids, joins and commands": Target(_signed, PROTOCOL, lambda: corpus().signed),
    "terms": Target(_terms, (TermsError,), lambda: [corpus().terms_body]),
    "sealed reserves": Target(_opening, (TermsError,), lambda: [seeds.opening()]),
    "entries": Target(_entry, ENTRY, lambda: corpus().entries),
    "events of the house": Target(
        _house_event, ENTRY, lambda: [*seeds.bodies_of(corpus().entries, is_signed=False)[:-6], seeds.takeover()]
    ),
    "events of the registry": Target(
        _registry_event, ENTRY, lambda: seeds.bodies_of(corpus().entries, is_signed=False)[-6:] + seeds.key_changes()
    ),
    "checkpoints": Target(_note, (NoteError,), lambda: [corpus().note], is_text=True, repair=_sign_again),
    "clock heads": Target(_clock_head, (NoteError,), lambda: [corpus().clock_head], is_text=True),
    "proofs": Target(_proof, (NoteError,), lambda: [corpus().announcement], is_text=True),
    "announcements": Target(_announcement, (VerificationError,), lambda: [corpus().announcement], is_text=True),
    "exports": Target(_export, (VerificationError,), _small_exports, is_text=True, repair=_count_again),
    "key text": Target(
        _key_text,
        (KeyTextError,),
        lambda: [corpus().bidder.identity.text.encode(), corpus().bidder.seed_text.encode()],
        is_text=True,
        repair=_sum_again,
    ),
    "key files": Target(_key_file, (KeyFileError,), seeds.key_files, is_text=True),
    "allow lists": Target(_allow_list, (AllowListError,), _lists, is_text=True),
    "addresses": Target(_address, (ConfigurationError,), _addresses, is_text=True),
    "house.toml": Target(_house_file, (ConfigurationError,), lambda: seeds.HOUSE_FILES, is_text=True),
    "AUCTIONS.toml": Target(_auctions_file, (ConfigurationError,), lambda: seeds.AUCTIONS_FILES, is_text=True),
    "config.toml and contexts.toml": Target(
        _person_file,
        (ConfigurationError,),
        lambda: seeds.PERSON_FILES + seeds.CONTEXT_FILES,
        is_text=True,
    ),
    "bid journals": Target(_journal, (ValueError, RemoteProtocolError), _journal_seeds, is_text=True),
    "cases of evidence": Target(_case, (), _cases, is_text=True, inputs=CASES),
    "amounts and durations": Target(_money, (MoneyError, ConfigurationError), lambda: list(MONEY), is_text=True),
    "words of peers": Target(_peer_text, (), lambda: [word.encode() for word in WORDS], is_text=True),
}
