"""What ``serve`` writes of its house: one line an event worth knowing, never a line a bid; or one object a line.

The same events are the records of its log (``--log-format``), an auction a record, with how grave each is.

Rule: whatever a seller or bidder chose is made safe before it gets on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, assert_never

from auctionctl.cli.output import write_json, write_line, write_note
from auctionctl.views.log_line import Level
from auctionctl.views.peer_text import safe_text

if TYPE_CHECKING:
    from auctionctl.cli.process_log import ProcessLog
    from auctionctl.net.house_words import Announced, Turned
    from auctionctl.net.reports import News, Serving

SCHEMA: Final = "auctionctl.serve/1"
MAX_REASON_CHARACTERS: Final = 500
RELOADED: Final = "the settings have been read again"
BANNED_HINT: Final = "take it off the allow list with: auctionctl allow rm NAME"
HALTED_HINT: Final = "was the state restored from an old copy? stop the house and restore a newer backup"
LIMITS_HINT: Final = "write those into the settings here too; what is changed in them holds for all after a reload"
EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "[::]"})  # noqa: S104 - what a house may listen on


LEVELS: Final = MappingProxyType(
    {
        **dict.fromkeys(("quarantined", "halted", "store_full", "archive_failed"), Level.ERROR),
        **dict.fromkeys(("restarted", "allow_list_kept", "settings_kept", "muted", "banned"), Level.WARNING),
        **dict.fromkeys(("allow_list_replaced", "revoked_listed", "rotated_listed", "limits_differ"), Level.WARNING),
        **dict.fromkeys(("serving", "reloaded", "restart_needed", "lots_wait", "unwatched", "draining"), Level.NOTICE),
    }
)
"""How grave an event is; what is not here is INFO."""


def write_report(report: News) -> None:
    """What the house reports, in lines for people."""
    from auctionctl.net import reports  # noqa: PLC0415

    match report:
        case reports.Serving():
            _write_serving(report)
        case reports.Turned():
            write_line(_turn_line(report))
        case reports.Reloaded():
            _write_announced(report.auctions)
            write_line(RELOADED)
        case reports.Processes():
            pass
        case _:
            write_line(_line(report))


def _line(report: News) -> str:
    from auctionctl.net import reports  # noqa: PLC0415

    match report:
        case reports.Restarted():
            return f"restarted {report.process} (process {report.pid}): the one before died ({report.cause})"
        case reports.Quarantined():
            return f"quarantined {report.log}: {_safe(report.reason)}"
        case reports.Halted():
            return f"HALTED {report.log}, nothing is written to it any more: {_safe(report.reason)} ({HALTED_HINT})"
        case reports.Admitted():
            return f"admitted {safe_text(report.name)} as {report.role}"
        case reports.AllowListKept():
            return f"the new allow list is wrong, the one before stays in force: {_safe(report.reason)}"
        case reports.AllowListReplaced(unwritten) if unwritten:
            return f"the allow list of all instances is in force, and its file does not say so: {_safe(unwritten)}"
        case reports.AllowListReplaced():
            kept = f"; what it said is in {_safe(report.kept)}, and not in force" if report.kept else ""
            return f"the allow list of this machine differed from that of all instances, and has given way to it{kept}"
        case reports.LimitsDiffer():
            from auctionctl.house.shared_limits import differing_words  # noqa: PLC0415

            return f"{differing_words(report.here, report.house)} ({LIMITS_HINT})"
        case reports.KeysListed():
            return _safe(report.words)
        case reports.SettingsKept():
            return f"the new settings are wrong, those before stay in force: {_advised(report.reason, report.hint)}"
        case reports.RestartNeeded():
            return f"changed, and heeded when the house is started again: {', '.join(report.settings)}"
        case reports.LotsWait():
            return f"there is no room yet for: {', '.join(report.listings)}"
        case reports.Archived():
            return f"archived {report.listing}: {report.path}"
        case reports.ArchiveFailed():
            return f"nothing can be archived, and all stays in the store: {_advised(report.reason, report.hint)}"
        case reports.StoreFull():
            ballast = (
                f" ({report.released_bytes} bytes of ballast were given back to the disk, so that what is due gets in:"
                " make room before they are used up)"
            )
            reason = _safe(report.reason)
            return f"the store is full, nothing is accepted: {reason}{ballast if report.released_bytes else ''}"
        case reports.Muted():
            return f"muted {safe_text(report.name)} at {report.host} for {report.seconds} s: {report.fault}"
        case reports.Banned():
            return f"BANNED {safe_text(report.name)} for {report.seconds} s: {report.reason} ({BANNED_HINT})"
        case reports.Unwatched():
            return "this system does not show what connections receive: endless messages and slow readers are not cut"
        case reports.AllClosed():
            return "every auction has ended"
        case reports.Draining():
            return "ending: what has come in is answered, nothing more is taken"
        case reports.Serving() | reports.Turned() | reports.Reloaded() | reports.Processes():
            raise AssertionError("these have lines of their own")
        case _:
            assert_never(report)


def _safe(text: str) -> str:
    return safe_text(text, MAX_REASON_CHARACTERS)


def _advised(reason: str, hint: str) -> str:
    return f"{_safe(reason)} ({_safe(hint)})" if hint else _safe(reason)


def _write_serving(serving: Serving) -> None:
    _write_announced(serving.auctions)
    write_line(f"serving at {serving.address.text}")
    if serving.address.host in EVERY_ADDRESS:
        write_note(f"bidders need a name or an address of this machine in place of {serving.address.host}")


def _write_announced(auctions: Iterable[Announced]) -> None:
    for announced in auctions:
        write_line(_announced_line(announced))
        if announced.differs:
            write_note(
                f"{announced.listing}: the file says otherwise in {', '.join(announced.differs)};"
                " what was announced holds, and a new listing name would make a new auction"
            )


def _announced_line(announced: Announced) -> str:
    news = "resumed" if announced.is_resumed else "new"
    return f"auction {announced.auction.hex()[:12]}  {announced.listing}  {news}  {safe_text(announced.title)}"


def _turn_line(turned: Turned) -> str:
    line = f"auction {turned.auction.hex()[:12]}  {turned.listing}  {turned.phase}"
    stage = f"  {turned.stage.replace('_', ' ')}" if turned.stage else ""
    if turned.winner:
        return f"{line}  sold to {safe_text(turned.winner)} for {turned.price}{stage}"
    return f"{line}  {turned.end_reason.replace('_', ' ')}{stage}" if turned.end_reason else line


def write_report_json(report: News) -> None:
    """What the house reports, one object a line."""
    event, fields = _record(report)
    write_json({"schema": SCHEMA, "event": event, **fields})


def log_report(log: ProcessLog, report: News) -> None:
    """What the house reports, as records of its log."""
    from auctionctl.net import reports  # noqa: PLC0415

    event, fields = _record(report)
    match report:
        case reports.Serving() | reports.Reloaded():
            for announced, auction in zip(report.auctions, fields.pop("auctions"), strict=True):
                level = Level.WARNING if announced.differs else Level.INFO
                log.write(level, "auction", _announced_line(announced), auction)
            words = f"serving at {report.address.text}" if isinstance(report, reports.Serving) else RELOADED
        case reports.Turned():
            words = _turn_line(report)
        case reports.Processes():
            verifiers = ", ".join(map(str, report.verifiers))
            several = f"gateways {', '.join(map(str, report.gateways))}"
            gateways = several if report.gateways else f"gateway {report.gateway}"
            words = f"processes: house {report.house}, {gateways}, verifiers {verifiers}"
        case _:
            words = _line(report)
    log.write(LEVELS.get(event, Level.INFO), event, words, fields)


def _record(report: News) -> tuple[str, dict[str, Any]]:
    from auctionctl.net import reports  # noqa: PLC0415

    match report:
        case reports.Serving():
            return "serving", {"address": report.address.text, "auctions": _announced_records(report.auctions)}
        case reports.Restarted():
            return "restarted", {"process": report.process, "pid": report.pid, "cause": report.cause}
        case reports.Quarantined():
            return "quarantined", {"log": report.log, "reason": report.reason}
        case reports.Halted():
            return "halted", {"log": report.log, "reason": report.reason}
        case reports.Turned():
            return report.phase, {
                "id": report.auction.hex(),
                "listing": report.listing,
                "item": report.title,
                "end_reason": report.end_reason or None,
                "winner": report.winner or None,
                "price": report.price or None,
                "stage": report.stage or None,
            }
        case reports.Admitted():
            return "admitted", {"name": report.name, "role": report.role}
        case reports.AllowListKept():
            return "allow_list_kept", {"reason": report.reason}
        case reports.AllowListReplaced():
            return "allow_list_replaced", {"unwritten": report.unwritten or None, "kept": report.kept or None}
        case reports.LimitsDiffer():
            return "limits_differ", {"here": report.here, "house": report.house}
        case reports.KeysListed():
            return report.code, {"reason": report.words}
        case reports.Reloaded():
            return "reloaded", {"auctions": _announced_records(report.auctions)}
        case reports.SettingsKept():
            return "settings_kept", {"reason": report.reason, "hint": report.hint}
        case reports.RestartNeeded():
            return "restart_needed", {"settings": list(report.settings)}
        case reports.LotsWait():
            return "lots_wait", {"listings": list(report.listings)}
        case reports.Archived():
            return "archived", {"id": report.auction.hex(), "listing": report.listing, "path": report.path}
        case reports.ArchiveFailed():
            return "archive_failed", {"reason": report.reason, "hint": report.hint}
        case reports.StoreFull():
            return "store_full", {"reason": report.reason, "released_bytes": report.released_bytes}
        case reports.Muted():
            record = {"name": report.name, "host": report.host, "fault": report.fault, "seconds": report.seconds}
            return "muted", record
        case reports.Banned():
            return "banned", {"name": report.name, "reason": report.reason, "seconds": report.seconds}
        case reports.Unwatched():
            return "unwatched", {}
        case reports.AllClosed():
            return "all_closed", {}
        case reports.Draining():
            return "draining", {}
        case reports.Processes():
            gateways = list(report.gateways) or [report.gateway]
            pids = {"house": report.house, "gateway": report.gateway, "verifiers": list(report.verifiers)}
            pids |= {"gateways": gateways}
            return "processes", pids
        case _:
            assert_never(report)


def _announced_records(auctions: Iterable[Announced]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.auction.hex(),
            "listing": each.listing,
            "item": each.title,
            "is_resumed": each.is_resumed,
            "differs": list(each.differs),
        }
        for each in auctions
    ]
