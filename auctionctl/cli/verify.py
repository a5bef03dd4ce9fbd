"""``verify``: a log or a receipt, checked against the house's public key (DESIGN.md section 7).

Rule: a file is checked offline, with nothing but itself and the key; an auction of a house is fetched whole, and then
checked by the same code, as the file that ``export`` would write.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer
from typer.models import TyperPath

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.clock_heads import check_entry, check_log, read_clock_heads
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, write_document, write_facts, write_note
from auctionctl.cli.progress import shown_progress
from auctionctl.cli.settings.choices import choose_house
from auctionctl.cli.settings.contexts import read_contexts
from auctionctl.client.files import read_bounded
from auctionctl.client.paths import Paths
from auctionctl.errors import (
    ConfigurationError,
    KeyTextError,
    LogError,
    NotFoundError,
    ProtocolError,
    TermsError,
    VerificationError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auctionctl.keys.signing import Identity
    from auctionctl.replica.audit import Audit, RegistryAudit
    from auctionctl.wire.address import HouseAddress

SCHEMA: Final = "auctionctl.verify/1"
LOG_MARK: Final = b"auctionctl-log/"
RECEIPT_MARK: Final = b"c2sp.org/tlog-proof@"
MARKS: Final = (LOG_MARK, RECEIPT_MARK)
MAX_FILE_BYTES: Final = 2**30
"""Some two million entries; what is larger is refused before it fills the memory."""
SHARED_ENTRIES: Final = 20_000
"""So many are checked by several processes; fewer are checked by the time that another one has started."""
FILE_SUFFIXES: Final = (".auction", ".tlog-proof")
"""What ends so is meant as a file even where there is none, and the error then says so."""
BARE_KEY: Final = "auc1"
"""A house of which the key alone is given cannot be asked for anything, so that a file is meant."""
COPY_HINT: Final = "the file was changed, or the house broke its word: take another copy, and compare the two"

_AUCTION: Final = re.compile("(?!-$)[A-Za-z0-9._-]{1,64}…?")

app = typer.Typer(rich_markup_mode=None)


class Beside(NamedTuple):
    """What is given to compare with: an exported registry, or None; and clock heads, each with its file."""

    registry: bytes | None
    clock_heads: list[tuple[Path, bytes]]


class Given(NamedTuple):
    """What is to be checked, what it is held against, and the house as it is known already, or None."""

    data: bytes
    beside: Beside
    known: Identity | None


@app.command(epilog="Example: auctionctl verify gold-watch.auction --house auc1…")
@with_house
def verify(
    at: AtHouse,
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID|FILE",
            click_type=TyperPath(readable=False),  # so that shells complete files
            help="An exported log or a receipt ('-' is stdin); or an auction of the house, by name.",
        ),
    ],
    registry: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An exported registry of the house, in which the log has to be announced ('-': stdin)."
        ),
    ] = None,
    clock_head: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            readable=False,  # that is found out here, like all else that may be wrong with a file
            help="A clock head of that auction, as `bid` keeps them; can be given more than once.",
        ),
    ] = None,
) -> int:
    """Check a log or a receipt: signatures, times, tree, checkpoint, and every rule of the auction.

    A file is checked offline; there, --house may also be the bare public key that you know, auc1….
    With --registry, the log is held against that copy of the house's registry besides; with --clock-head, against
    what the house once signed of the time, which shows entries that it dated back.
    """
    given = read_given(at, what, registry, clock_head or ())
    known = given.known
    try:
        record, facts, notes = _check(given.data, given.beside, known, at.form)
    except LogError as error:
        error.hint = error.hint or COPY_HINT
        raise
    if at.form.is_json:
        write_document(SCHEMA, {"verified": True, "house_is_claimed": known is None, **record})
        return ExitStatus.OK
    write_facts(facts)
    for note in notes:
        write_note(f"warning: {note}")
    return ExitStatus.OK


def read_given(at: AtHouse, what: str, registry: Path | None, clock_head: Sequence[Path]) -> Given:
    """The file ``what``, or the log of the auction of that name as its house serves it, with what is given beside it.

    Raises VerificationError for a file that is neither a log nor a receipt, and as reading files and houses does.
    """
    known = None if at.house is None else _parse_house(at.paths, at.house)
    if what == "-" and registry == Path("-"):
        raise ArgumentError("stdin holds one file, and two are to be read from it", hint="give a file for one of them")
    registry_data = None if registry is None else _read(registry)
    beside = Beside(registry_data, read_clock_heads(clock_head))
    if _is_file(what) or (at.house or "").startswith(BARE_KEY):
        return Given(_read(Path(what)), beside, known)
    known = _address(at, what).identity
    return Given(_fetch(at, what), beside, known)


def _is_file(what: str) -> bool:
    """Whether a file is meant: one that is there, or what no name of an auction looks like."""
    return what.endswith(FILE_SUFFIXES) or _AUCTION.fullmatch(what) is None or os.path.lexists(what)


def _address(at: AtHouse, what: str) -> HouseAddress:
    try:
        return at.address()
    except ConfigurationError as error:
        raise NotFoundError(
            f"there is no file {what}, and whether there is such an auction cannot be asked: {error}", hint=error.hint
        ) from error


def _fetch(at: AtHouse, wanted: str) -> bytes:
    from auctionctl.cli.observer import read_auction  # noqa: PLC0415 - imports zmq

    with shown_progress(at.form, "reading the log") as progress:
        observer, replica = read_auction(at, wanted, progress)
    return observer.export(replica.replay.auction_id)


def _check(
    data: bytes, beside: Beside, known: Identity | None, form: Form
) -> tuple[dict[str, object], list[tuple[str, str]], list[str]]:
    from auctionctl.replica.audit import is_registry  # noqa: PLC0415

    if not data.startswith(RECEIPT_MARK) and not is_registry(data):
        return _check_log(data, beside, known, form)
    if beside.registry is not None:
        raise ArgumentError("--registry is for the log of an auction", hint="verify this by itself")
    if data.startswith(RECEIPT_MARK):
        return (*_check_receipt(data, beside, known), [])
    if beside.clock_heads:
        raise ArgumentError("--clock-head is for what an auction's log holds", hint="verify the registry by itself")
    return (*_check_registry(data, known, form), [])


def _parse_house(paths: Paths, text: str) -> Identity:
    from auctionctl.keys.encoding import is_name  # noqa: PLC0415
    from auctionctl.keys.signing import Identity  # noqa: PLC0415 - imports libsodium

    if "://" in text or (is_name(text) and text in read_contexts(paths).by_name):
        return choose_house(paths, text).identity
    with argument("--house"):
        return Identity.from_text(text.strip())


def _read(file: Path) -> bytes:
    if str(file) != "-":
        data = read_bounded(file, MAX_FILE_BYTES, mark=MARKS)
    elif (data := _read_stdin()).startswith(MARKS) and len(data) > MAX_FILE_BYTES:
        raise ConfigurationError(f"stdin has more than {MAX_FILE_BYTES} bytes", hint="is it the file that you meant?")
    if data.startswith(MARKS):
        return data
    raise VerificationError(
        "neither an exported log nor a receipt" if data else "the file is empty",
        rule="format",
        hint="`auctionctl export` writes a log, and `auctionctl bid` keeps receipts, FILE.tlog-proof",
    )


def _read_stdin() -> bytes:
    if sys.stdin is None:  # as `<&-` leaves it
        raise ConfigurationError("stdin is closed", hint="give a file, or a pipe: … | auctionctl verify -")
    stream = sys.stdin.buffer
    try:
        data = stream.read(max(map(len, MARKS)))
        return data + stream.read(MAX_FILE_BYTES + 1 - len(data)) if data.startswith(MARKS) else data
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ConfigurationError(f"cannot read stdin: {reason}", hint="give a file, or a pipe") from error


def _house_fact(house: Identity, known: Identity | None) -> tuple[str, str]:
    claim = "" if known is not None else ": as the file claims; compare it with the one that you know"
    return "house", house.text + claim


class CheckedLog(NamedTuple):
    """A log that holds, the registry that it was held against or None, and what to say and to warn of."""

    audit: Audit
    registry: RegistryAudit | None
    facts: list[tuple[str, str]]
    warnings: list[str]


def check_log_file(data: bytes, beside: Beside, known: Identity | None, form: Form) -> CheckedLog:
    """Check the exported log of an auction, of the ``known`` house, against itself and all that is ``beside`` it.

    Raises LogError for whatever does not hold.
    """
    from auctionctl.replica.audit import claimed_house, compare_with_registry  # noqa: PLC0415

    house = known or claimed_house(data)
    result = _audit(data, house, form)
    facts = _log_facts(result, known)
    registry = None
    if beside.registry is not None:
        registry = _audit_registry(beside.registry, house, form)
        compare_with_registry(result, registry)
        facts.append(("registry", f"announces it, in entry {result.announced_under.size - 1}"))
    if beside.clock_heads:
        facts.append(check_log(result, beside.clock_heads))
    warnings = [
        f"bid {index} claims to have seen another history than this; the claim proves nothing by itself, and whoever"
        " bid can show the checkpoint that it saw"
        for index in result.contested
    ]
    return CheckedLog(result, registry, facts, warnings)


def _audit(data: bytes, house: Identity, form: Form) -> Audit:
    """Check every entry, where that takes long on every core."""
    from auctionctl.replica.audit import audit  # noqa: PLC0415

    line_count = data.count(b"\n")
    with shown_progress(form, "checking every entry") as progress, ExitStack() as held:
        crew = None
        if line_count >= SHARED_ENTRIES:
            from auctionctl.net.checking import Crew, count_checkers  # noqa: PLC0415

            crew = Crew(count_checkers())
            held.callback(crew.close)
        return audit(data, house, lambda count: progress(count, line_count), crew)


def _check_log(
    data: bytes, beside: Beside, known: Identity | None, form: Form
) -> tuple[dict[str, object], list[tuple[str, str]], list[str]]:
    from auctionctl.cli.records import auction_record  # noqa: PLC0415

    result, _, facts, notes = check_log_file(data, beside, known, form)
    record = auction_record(result.auction) | {
        "kind": "log",
        "house": result.house.text,
        "is_finished": result.is_finished,
        "contested": list(result.contested),
        "registry_checked": beside.registry is not None,
        "clock_heads_checked": len(beside.clock_heads),
    }
    return record, facts, notes


def _audit_registry(data: bytes, house: Identity, form: Form) -> RegistryAudit:
    from auctionctl.replica.audit import audit_registry  # noqa: PLC0415

    line_count = data.count(b"\n")
    with shown_progress(form, "checking every entry of the registry") as progress:
        return audit_registry(data, house, lambda count: progress(count, line_count))


def _check_registry(data: bytes, known: Identity | None, form: Form) -> tuple[dict[str, object], list[tuple[str, str]]]:
    from auctionctl.cli.members import member_record  # noqa: PLC0415
    from auctionctl.replica.audit import claimed_house  # noqa: PLC0415

    house = known or claimed_house(data)
    result = _audit_registry(data, house, form)
    members, auctions, size = result.registry.members.values(), result.registry.auctions, result.checkpoint.size
    let_in = sum(1 for member in members if member.role)
    record = {
        "kind": "registry",
        "house": house.text,
        "members": [member_record(member, result.registry) for member in members],
        "announced": [
            {"id": auction.hex(), "listing": found.listing, "seller": found.seller.hex(), "time_ns": found.time_ns}
            for auction, found in auctions.items()
        ],
        "log_size": size,
        "head": {"size": size, "root": result.checkpoint.root.hex()},
    }
    facts = [
        ("verified", f"every entry and rule, and the root of {size} entries"),
        _house_fact(house, known),
        ("log", "the registry: whom the house let in, and what it announced"),
        ("let in", f"{let_in} now, {len(members) - let_in} no more"),
        ("auctions", f"{len(auctions)} announced"),
        ("entries", str(size)),
        ("head", result.checkpoint.root.hex()),
    ]
    return record, facts


def _log_facts(result: Audit, known: Identity | None) -> list[tuple[str, str]]:
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.views.auction_row import STAGE_WORDS, name_of  # noqa: PLC0415

    auction = result.auction
    unfinished = "unfinished: the log is the true beginning of one"
    facts = [
        ("verified", f"every entry, signature and rule, and the root of {result.checkpoint.size} entries"),
        _house_fact(result.house, known),
        ("auction", auction.id.hex()),
        ("lot", auction.terms.lot.title),
        ("end", unfinished if auction.end_reason is None else auction.end_reason.value),
    ]
    if (sale := auction.sale) is not None:
        facts.append(("winner", name_of(sale.leader, {})))
        facts.append(("price", format_minor(sale.price_minor, auction.terms.rules.currency)))
    elif auction.standing is not None:
        facts.append(("best bid", format_minor(auction.standing.price_minor, auction.terms.rules.currency)))
    if auction.settlement is not None:
        facts.append(("sale", STAGE_WORDS[auction.settlement.stage]))
    return [*facts, ("bids", str(auction.bid_count)), ("entries", str(auction.size))]


def _check_receipt(
    data: bytes, beside: Beside, known: Identity | None
) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """A receipt with its entry in ``extra``: the entry is signed, belongs to the log, and is in it."""
    from auctionctl.keys.signing import Identity  # noqa: PLC0415
    from auctionctl.replica.audit import OTHER_HOUSE_HINT  # noqa: PLC0415
    from auctionctl.tlog.checkpoint import split_origin  # noqa: PLC0415
    from auctionctl.tlog.entry import decode  # noqa: PLC0415
    from auctionctl.tlog.proof import decode_receipt, verify_proof  # noqa: PLC0415

    try:
        proof = decode_receipt(data.decode("utf-8", "surrogateescape"))
        origin = proof.checkpoint_note.decode().partition("\n")[0]
        house_text, log = split_origin(origin)
        house = known or Identity.from_text(house_text)
    except (LogError, KeyTextError, UnicodeDecodeError, ValueError) as error:
        raise VerificationError(f"not a receipt: {error}", rule="format") from error
    if house.text != house_text:
        raise VerificationError(
            f"this is a receipt of another house, {house_text[:16]}…", rule="checkpoint", hint=OTHER_HOUSE_HINT
        )
    if not proof.extra:
        raise VerificationError("the receipt does not hold its entry, so there is nothing to check", rule="format")
    checkpoint = verify_proof(proof, proof.extra, origin, house.signing)
    entry = decode(proof.extra)
    who, what, record = _check_command(entry.kind, entry.body, entry.signature, log, proof.index)
    facts = [
        ("verified", f"entry {proof.index} is in the log, under a checkpoint of {checkpoint.size} entries"),
        _house_fact(house, known),
        ("auction", log.partition("/")[2]),
        ("entry", f"{entry.kind.value} {what}".strip()),
        ("signed by", who),
        ("time", record_time(entry.time_ns)),
    ]
    if beside.clock_heads:
        facts.append(check_entry(house, origin, proof.index, entry.time_ns, beside.clock_heads))
    common = {"kind": "receipt", "house": house.text, "id": log.partition("/")[2], "index": proof.index}
    seen = {"log_size": checkpoint.size, "clock_heads_checked": len(beside.clock_heads)}
    return common | record | {"time_ns": entry.time_ns} | seen, facts


def record_time(time_ns: int) -> str:
    """``time_ns`` in UTC."""
    from auctionctl.cli.records import clock_time  # noqa: PLC0415

    return clock_time(time_ns)


def _check_command(
    kind: str, body: bytes, signature: bytes, log: str, index: int
) -> tuple[str, str, dict[str, object]]:
    """Who signed the entry, and what it says. The proof shows that it is in the log, not that it belongs there."""
    from auctionctl.auction.bid import decode_bid, decode_join  # noqa: PLC0415
    from auctionctl.auction.commands import COMMAND_KINDS, KINDS, decode_command, type_of  # noqa: PLC0415
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.auction.terms import auction_id, decode_terms  # noqa: PLC0415
    from auctionctl.cli.records import amount, fact_words  # noqa: PLC0415
    from auctionctl.views.auction_row import name_of  # noqa: PLC0415
    from auctionctl.wire.frames import is_signed_by  # noqa: PLC0415

    record: dict[str, object] = {"entry": kind}
    role = "bidder"
    try:
        if kind == "bid":
            bid = decode_bid(body)
            auction, signer, what = bid.auction, bid.bidder, format_minor(bid.amount_minor, bid.currency)
            record |= {"seq": bid.seq, "amount": amount(bid.amount_minor, bid.currency)}
        elif kind == "joined":
            join = decode_join(body)
            auction, signer, what = join.auction, join.bidder, ""
        elif kind == "terms":
            terms = decode_terms(body)
            auction, signer, what, role = auction_id(body), terms.seller, terms.lot.title, "seller"
        elif kind in COMMAND_KINDS:
            command = decode_command(body)
            if KINDS[type_of(command)] != kind:
                raise VerificationError(f"it holds a {type_of(command)}", rule="entry", index=index)
            auction, signer, role = command.auction, command.actor, "signed_by"
            what = fact_words(command, "", {})[1]
        else:
            raise VerificationError(f"receipts are for what was signed, not for {kind}", rule="format", index=index)
    except (ProtocolError, TermsError) as error:
        raise VerificationError(str(error), rule="entry", index=index) from error
    if not is_signed_by(signer, body, signature):
        raise VerificationError("the entry is not signed by the key in it", rule="signature", index=index)
    if log != f"auction/{auction.hex()}":
        raise VerificationError("the entry belongs to another auction", rule="wrong_auction", index=index)
    return name_of(signer, {}), what, record | {role: signer.hex()}
