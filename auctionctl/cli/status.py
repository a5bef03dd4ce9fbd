"""``status``: how a house is, by its own word: what keeps it from its work first, and then how much work there is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import write_document, write_facts

if TYPE_CHECKING:
    from auctionctl.replica.follower import Follower
    from auctionctl.wire.messages import Condition, InstanceWord

SCHEMA: Final = "auctionctl.status/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "address": "The address of the house.",
        "warnings": "What keeps it from its work, the gravest first: objects of `code` and `words`.",
        "time_ns": "Its time.",
        "ahead_ns": "By how much its clock is ahead of ours, half a round trip uncertain.",
        "started_ns": "Since when its process runs.",
        "open": "How many auctions have not ended.",
        "unfinished": "How many auctions have an end to come, of the bidding or of the settlement.",
        "sessions": "How many sessions it has, this one among them.",
        "registry_size": "How many entries its registry has.",
        "code": "Of a warning: what it is, as a stable word.",
        "words": "Of a warning: the same for people.",
        "instance": "The instance that answered; null in a house that has one.",
        "instances": "All of them, as that one sees them: objects of `name`, `endpoint`, `is_alive` and `holds`.",
        "name": "Of an instance: its name.",
        "endpoint": "Of an instance: where it is reached; null where it has not said.",
        "is_alive": "Of an instance: whether it has been heard lately.",
        "holds": "Of an instance: how many auctions that have not ended it said that it holds.",
    }
}
ANSWER_S: Final = 10.0

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: auctionctl status --json")
@with_house
def status(at: AtHouse) -> int:
    """Say how a house is: what keeps it from its work, if anything, its clock, its auctions and sessions.

    It is the house's own word, which proves nothing: what an auction has come to, its log says.
    """
    from auctionctl.replica.follower import Follower  # noqa: PLC0415

    address, secret = at.address(), at.secret()
    follower = Follower(secret, address.identity, "observer")
    found = _ask(at, follower)
    if at.form.is_json:
        write_document(SCHEMA, {"address": address.text, **_record(found, follower)})
    else:
        write_facts([*_warnings(found), *_facts(found, follower)])
    return ExitStatus.OK


def _ask(at: AtHouse, follower: Follower) -> Condition:
    from auctionctl.errors import UnreachableError  # noqa: PLC0415
    from auctionctl.net.dealer import Dealer  # noqa: PLC0415
    from auctionctl.replica.follower import Welcomed  # noqa: PLC0415
    from auctionctl.wire.messages import Condition, Status  # noqa: PLC0415

    address = at.address()
    answers: list[Condition] = []
    deadline_s = time.monotonic() + ANSWER_S

    def handle(notice: object) -> None:
        if isinstance(notice, Welcomed):
            follower.ask(Status())
        elif isinstance(notice, Condition):
            answers.append(notice)

    dealer = Dealer(follower, address, at.secret())
    try:
        dealer.run(handle, lambda: bool(answers) or time.monotonic() > deadline_s)
    finally:
        dealer.close()
    if not answers:
        raise UnreachableError(
            f"the house at {address.where} does not say how it is",
            hint="is it of an older version? `auctionctl doctor` looks further",
        )
    return answers[0]


def _record(found: Condition, follower: Follower) -> dict[str, object]:
    return {
        "warnings": [{"code": code, "words": words} for code, words in found.warnings],
        "time_ns": found.time_ns,
        "ahead_ns": follower.house_ahead_ns,
        "started_ns": found.started_ns,
        "open": found.open_count,
        "unfinished": found.unfinished_count,
        "sessions": found.session_count,
        "registry_size": found.registry_size,
        "instance": found.instance or None,
        "instances": [
            {"name": each.name, "endpoint": each.endpoint or None, "is_alive": each.is_alive, "holds": each.holds}
            for each in found.instances
        ],
    }


def _warnings(found: Condition) -> list[tuple[str, str]]:
    return [("warning", f"{code}: {words}") for code, words in found.warnings] or [("condition", "all is well")]


def _facts(found: Condition, follower: Follower) -> list[tuple[str, str]]:
    from auctionctl.cli.records import clock_time  # noqa: PLC0415

    ahead_ms = follower.house_ahead_ns // 1_000_000
    ended = "has not ended" if found.open_count == 1 else "have not ended"
    return [
        ("time", f"{clock_time(found.time_ns)}, {abs(ahead_ms)} ms {'ahead of' if ahead_ms >= 0 else 'behind'} ours"),
        ("running since", clock_time(found.started_ns)),
        ("auctions", f"{found.open_count} {ended}, {found.unfinished_count - found.open_count} sold and not settled"),
        ("sessions", str(found.session_count)),
        ("registry", f"{found.registry_size} entries"),
        *[(f"instance {each.name}", _seen(found, each)) for each in found.instances],
    ]


def _seen(found: Condition, each: InstanceWord) -> str:
    """An instance of a house that has several, in words."""
    if not each.is_alive:
        return f"not heard of{f', last at {each.endpoint}' if each.endpoint else ''}"
    held = f"at {each.endpoint}, holds {each.holds} auction{'' if each.holds == 1 else 's'}"
    return f"{held}; it has answered" if each.name == found.instance else held
