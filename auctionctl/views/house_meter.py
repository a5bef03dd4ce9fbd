"""``top``: how a house works, as one screen: stages, queues, processes, the busiest auctions, and who is connected.

Rule: as much as the terminal has lines for; warnings first, then what answers "is it slow, and where", then the rest,
of which each table has at least its first row; a line of numbers is folded and not cut.
What the house says of others is made safe here. Source: :mod:`auctionctl.wire.measures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from auctionctl.views.auction_row import SECOND_NS, clock_text
from auctionctl.views.figures import duration_text, rate_text, size_text
from auctionctl.views.peer_text import safe_text
from auctionctl.views.sparkline import sparkline
from auctionctl.wire.measures import Measures, PeerMeasure

HISTORY: Final = 60
LEAST_SPARKS: Final = 8
"""Bars of rates that are worth looking at; where fewer have room beside the rates, they get a line of their own."""
ROOMY_FROM: Final = 40
"""A lower terminal has no lines for the rules of tables."""
BETWEEN: Final = "   "
STAGE_COLUMNS: Final = ("stage", "what it is", "half within", "99% within", "longest", "lately")
WORDS_FROM: Final = 96
"""A narrower terminal has no room for what the stages are."""
COMPLETED: Final = "completed"
GROWING: Final = ("requests", "acknowledged", "rejected", "refused")
STAGE_WORDS: Final = {
    "check": "gateway to checked signature",
    "wait": "waiting for the house",
    "decide": "judged by the rules",
    "commit": "made durable",
    "answer": "signed and sent",
    "total": "received to answered",
}


def totals(measures: Measures) -> dict[str, int]:
    """What only grows, and is shown as a rate: name → count."""
    families = {"rejected": 0, "refused": 0}
    for each in measures.labelled:
        if each.family in families:
            families[each.family] += each.count
    return {name: measures.amount(name) for name in ("requests", "acknowledged")} | families


@dataclass(frozen=True, slots=True)
class Moment:
    """What was asked at one time, and what had come of it before."""

    measures: Measures
    warnings: tuple[tuple[str, str], ...]
    before: Measures | None
    rates: tuple[int, ...]
    """Requests a second at each look, the latest last."""


@dataclass(frozen=True, slots=True)
class MeterPicture:
    """All that is seen of a house; equal ones look the same. ``moment`` is None until it has said how it works."""

    title: str
    moment: Moment | None
    titles: Mapping[bytes, str]
    width: int
    height: int

    def draw(self) -> RenderableType:
        """For a terminal of ``width`` columns and ``height`` lines."""
        if self.moment is None:
            return _cut(Text(self.title, style="bold"), self.width)
        return house_meter(self.title, self.moment, self.titles, self.width, self.height)


def house_meter(title: str, moment: Moment, titles: Mapping[bytes, str], width: int, height: int) -> RenderableType:
    """The screen, for a terminal of ``width`` columns and ``height`` lines; ``titles`` are of auctions."""
    lines: list[RenderableType] = [_cut(each, width) for each in _head(title, moment, width)]
    stages = _stages(moment)
    if width < WORDS_FROM:
        stages = _without(stages, 1)
    found = (stages, _processes(moment), _busiest(moment, titles), _peers(moment))
    tables = [(columns, rows) for columns, rows in found if rows]
    ruled = box.HEAVY_HEAD if height >= ROOMY_FROM else None
    frame = 2 if ruled is None else 3  # a blank line, the header, and a rule
    counts = rows_shown([len(rows) for _, rows in tables], height - len(lines), frame)
    for (columns, rows), count in zip(tables, counts, strict=True):
        if count:
            lines += [Text(""), _table(columns, rows[:count], ruled)]
    return Group(*lines)


def rows_shown(counts: Sequence[int], room: int, frame: int) -> list[int]:
    """How many rows of tables that have ``counts`` (≥ 1) of them ``room`` lines show; each table takes ``frame`` more.

    One row of each, the first tables first while there is room for that; what is left goes to them in the same order.
    """
    shown = [0] * len(counts)
    for number in range(len(counts)):
        if room > frame:
            shown[number] = 1
            room -= frame + 1
    for number, count in enumerate(counts):
        if shown[number]:
            more = min(count - 1, max(0, room))
            shown[number] += more
            room -= more
    return shown


def _head(title: str, moment: Moment, width: int) -> list[Text]:
    measures, span_ns = moment.measures, _span_ns(moment)
    words = [Text(f"{code}: {safe_text(said)}", style="bold red") for code, said in moment.warnings]
    up_s = max(0, measures.time_ns - measures.started_ns) // SECOND_NS
    phases = ", ".join(f"{each.count} {each.label}" for each in measures.labelled if each.family == "auctions")
    queue, limit = measures.amount("queue"), measures.amount("queue_limit")
    rates = totals(measures)
    earlier = rates if moment.before is None else totals(moment.before)
    said = [f"{name}/s {rate_text(rates[name] - earlier[name], span_ns)}" for name in GROWING]
    batches = measures.amount("batches") - (0 if moment.before is None else moment.before.amount("batches"))
    asked = rates["requests"] - (0 if moment.before is None else earlier["requests"])
    up = f"up {clock_text(up_s)}"
    auctions = [f"auctions: {phases or 'none'}", _ended(measures), _reputations(measures)]
    work = [
        *(f"queue {queue}/{limit}", f"at the gateway {measures.amount('under_way')}"),
        *(f"sessions {measures.amount('sessions')}", f"connections {measures.amount('connections')}"),
        f"a batch {-(-asked // batches) if batches else 0}",
    ]
    return [
        Text(BETWEEN.join((title, up, f"store {size_text(measures.amount('store_bytes'))}")), style="bold"),
        *words,
        *_folded(auctions, width),
        *_folded(work, width),
        *_with_sparks(said, moment.rates, width),
    ]


def _folded(parts: Sequence[str], width: int) -> list[Text]:
    """Those of ``parts`` that are not empty on as few lines of ``width`` columns as their order allows."""
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and len(lines[-1]) + len(BETWEEN) + len(part) <= width:
            lines[-1] += BETWEEN + part
        else:
            lines.append(part)
    return [Text(line) for line in lines]


def _with_sparks(parts: Sequence[str], rates: Sequence[int], width: int) -> list[Text]:
    """``parts``, and the newest of ``rates`` as bars: behind them, or below where they leave too little room."""
    lines = _folded(parts, width)
    left = width - len(lines[-1]) - len(BETWEEN)
    if left >= LEAST_SPARKS:
        lines[-1].append(BETWEEN).append(sparkline(rates, left), style="cyan")
    elif rates:
        lines.append(Text(sparkline(rates, width), style="cyan"))
    return lines


def _ended(measures: Measures) -> str:
    """How many auctions have ended since the process began, and how many of them sold their lot."""
    ended = {each.label: each.count for each in measures.labelled if each.family == "ended"}
    count = sum(ended.values())
    return f"ended {count}, sold {100 * ended.get(COMPLETED, 0) // count}%" if count else ""


def _reputations(measures: Measures) -> str:
    """What bidders have gained and lost in reputation."""
    points = {each.label: each.count for each in measures.labelled if each.family == "reputation"}
    return f"reputation +{points['good']} -{points['bad']}" if points.keys() >= {"good", "bad"} else ""


def _cut(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    text.no_wrap = True
    return text


def _span_ns(moment: Moment) -> int:
    return 0 if moment.before is None else moment.measures.time_ns - moment.before.time_ns


_Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def _stages(moment: Moment) -> _Table:
    rows: list[tuple[str, ...]] = [
        (
            safe_text(each.stage, 16),
            STAGE_WORDS.get(each.stage, ""),
            duration_text(each.p50_ns),
            duration_text(each.p99_ns),
            duration_text(each.longest_ns),
            f"{each.count:,}",
        )
        for each in moment.measures.stages
    ]
    return STAGE_COLUMNS, rows


def _without(table: _Table, number: int) -> _Table:
    """``table`` without one of its columns."""
    columns, rows = table
    return (*columns[:number], *columns[number + 1 :]), [(*row[:number], *row[number + 1 :]) for row in rows]


def _processes(moment: Moment) -> _Table:
    span_ns = _span_ns(moment)
    earlier = {} if moment.before is None else {each.pid: each.cpu_ns for each in moment.before.processes}
    rows: list[tuple[str, ...]] = []
    for each in moment.measures.processes:
        used_ns = each.cpu_ns - earlier.get(each.pid, each.cpu_ns)
        cpu = f"{100 * used_ns / span_ns:.0f}%" if span_ns > 0 else "-"
        rows.append(
            (safe_text(each.name, 16), str(each.pid), cpu, size_text(each.rss_bytes), str(each.descriptors or "-"))
        )
    return ("process", "pid", "cpu", "memory", "files"), rows


def _busiest(moment: Moment, titles: Mapping[bytes, str]) -> _Table:
    span_ns = moment.measures.span_ns
    rows: list[tuple[str, ...]] = [
        (safe_text(titles.get(each.auction, "?"), 40), each.auction.hex()[:12], rate_text(each.count * 60, span_ns))
        for each in moment.measures.busiest
    ]
    return ("busiest", "auction", "commands/min"), rows


PEER_COLUMNS: Final = ("peer", "role", "from", "round trip", "silent for", "messages", "lost", "waiting")


def _peers(moment: Moment) -> _Table:
    return PEER_COLUMNS, [peer_cells(each, moment.measures.time_ns) for each in moment.measures.peers]


def peer_cells(peer: PeerMeasure, now_ns: int) -> tuple[str, ...]:
    """One session under ``PEER_COLUMNS``, at ``now_ns`` by the house's clock."""
    silent_s = max(0, now_ns - peer.heard_ns) // SECOND_NS
    return (
        safe_text(peer.name, 32),
        safe_text(peer.role, 16),
        safe_text(peer.host, 45) if peer.host else "-",
        duration_text(peer.round_trip_ns),
        clock_text(silent_s),
        f"{peer.messages:,}",
        str(peer.lost),
        str(peer.waiting),
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], ruled: box.Box | None) -> Table:
    table = Table(box=ruled, show_edge=False, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=True, overflow="ellipsis", justify="left" if number < 2 else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
