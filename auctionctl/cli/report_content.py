"""What the page of ``report`` holds, from the story of a log and the verdict on it.

Rule: nothing is added to the two; without a registry nobody has a name, and everybody is shown by the key.
"""

from __future__ import annotations

import hashlib

from auctionctl.auction.price import format_minor
from auctionctl.cli.export import REGISTRY_NAME, SUFFIX
from auctionctl.cli.log_story import Story, visits
from auctionctl.cli.members import RegistryNames
from auctionctl.cli.records import clock_time, fact_words
from auctionctl.cli.terms_words import opened_reserve, terms_facts
from auctionctl.cli.verify import CheckedLog, Given
from auctionctl.cli.whereabouts import paused_words, settlement_facts
from auctionctl.errors import LogError
from auctionctl.replica.audit import claimed_house
from auctionctl.replica.export import decode_export
from auctionctl.views.auction_row import Names, name_of, row_of
from auctionctl.views.price_path import Bid, PricePath
from auctionctl.views.report_page import Listing, ReportPage, Verdict, report_page


def write_page(given: Given, story: Story | None, checked: CheckedLog | None, failure: LogError | None) -> str:
    """The whole page, as text; of ``checked`` and ``failure`` one is None, and so is ``story`` if nothing holds."""
    verdict = _verdict(checked, failure)
    hashes = [("SHA-256 of the exported log", hashlib.sha256(given.data).hexdigest())]
    if story is None:
        empty = ReportPage(
            "A log that cannot be read", "", "", verdict, (), None, (), _commands(given, None), hashes, ""
        )
        return report_page(empty)
    registry = None if checked is None else checked.registry
    names: Names = {} if registry is None else RegistryNames(registry.registry, {})
    return report_page(_page_of(given, story, names, verdict, hashes))


def _page_of(given: Given, story: Story, names: Names, verdict: Verdict, hashes: list[tuple[str, str]]) -> ReportPage:
    auction, export = story.auction, decode_export(given.data)
    note = export.checkpoint.decode("utf-8", "replace")
    house = claimed_house(given.data)
    hashes += [("auction: SHA-256 of its terms", auction.id.hex()), ("entries in the file", str(len(export.entries)))]
    lines = note.split("\n")
    hashes += [("root of the tree over them, base64", lines[2])] if len(lines) > 2 else []
    return ReportPage(
        title=auction.terms.lot.title,
        subtitle=f"{auction.terms.listing}, at the house {house.text}",
        result=_result_words(story, names),
        verdict=verdict,
        facts=(("Result", _result_facts(story, names)), ("Terms", terms_facts(auction, names))),
        price_path=_price_path(story, names),
        listings=(_bidders(story, names), _bids(story, names), _happenings(story, names)),
        commands=_commands(given, house.text),
        hashes=hashes,
        note=note,
    )


def _verdict(checked: CheckedLog | None, failure: LogError | None) -> Verdict:
    if checked is not None:
        (_, words), *facts = checked.facts
        return Verdict(True, words, facts, checked.warnings)
    assert failure is not None
    beware = "Nothing on this page is vouched for: it shows what stands in the file, as far as that can be read."
    return Verdict(False, str(failure), [("what to do", failure.hint)], [beware])


def _result_words(story: Story, names: Names) -> str:
    row = row_of(story.auction, story.auction.last_time_ns, names, is_current=True)
    if row.result:
        return row.result[0].upper() + row.result[1:]
    so_far = f"; best bid {row.price} by {row.leader}" if row.price else ""
    return f"Unfinished: {row.phase.value} where this log ends{so_far}"


def _result_facts(story: Story, names: Names) -> list[tuple[str, str]]:
    auction = story.auction
    facts = [("announced", clock_time(auction.announced_ns))]
    if auction.opened_at_ns:
        facts.append(("opened", clock_time(auction.opened_at_ns)))
    if auction.ended_ns:
        facts.append(("ended", clock_time(auction.ended_ns)))
    best = auction.sale or auction.standing
    if best is not None:
        facts.append(("winner" if auction.sale else "best bidder", name_of(best.leader, names)))
        facts.append(
            ("price" if auction.sale else "best bid", format_minor(best.price_minor, auction.terms.rules.currency))
        )
    facts += settlement_facts(auction, names)
    facts += [("bids", str(auction.bid_count)), ("bidders", str(len(story.bidders)))]
    return [*facts, ("extensions", str(auction.extensions)), ("stood still", paused_words(auction))]


def _price_path(story: Story, names: Names) -> PricePath | None:
    if not story.bids:
        return None
    auction, reserve = story.auction, opened_reserve(story.auction)
    numbers = {bidder: number for number, bidder in enumerate(story.bidders)}
    end_ns = auction.ended_ns or auction.last_time_ns
    halts = list(story.halts) if story.paused_ns is None else [*story.halts, (story.paused_ns, end_ns)]
    return PricePath(
        currency=auction.terms.rules.currency,
        start_ns=auction.opened_at_ns,
        end_ns=end_ns,
        starting_minor=auction.terms.rules.starting_price_minor,
        bids=[Bid(placed.time_ns, placed.bid.amount_minor, numbers[placed.bid.bidder]) for placed in story.bids],
        bidders=[name_of(bidder, names) for bidder in story.bidders],
        reserve_minor=None if reserve is None else reserve.minor,
        halts=halts,
        extended_ns=story.extended_ns,
    )


def _bidders(story: Story, names: Names) -> Listing:
    counts: dict[bytes, int] = {}
    best: dict[bytes, int] = {}
    for placed in story.bids:
        counts[placed.bid.bidder] = counts.get(placed.bid.bidder, 0) + 1
        best[placed.bid.bidder] = placed.bid.amount_minor
    seen = visits(story)
    rows = []
    for bidder in story.bidders:
        joined_ns, left_ns = seen[bidder]
        highest = format_minor(best[bidder], story.auction.terms.rules.currency) if bidder in best else ""
        times = (clock_time(joined_ns), "" if left_ns is None else clock_time(left_ns))
        rows.append((name_of(bidder, names), str(counts.get(bidder, 0)), highest, *times, bidder.hex()))
    columns = ("bidder", "bids", "highest", "joined", "left", "signing key")
    return Listing("Bidders", columns, rows, range(len(rows)))


def _bids(story: Story, names: Names) -> Listing:
    numbers = {bidder: number for number, bidder in enumerate(story.bidders)}
    rows = [
        (
            name_of(placed.bid.bidder, names),
            format_minor(placed.bid.amount_minor, placed.bid.currency),
            clock_time(placed.time_ns),
            str(placed.entry_index),
        )
        for placed in story.bids
    ]
    coloured = [numbers[placed.bid.bidder] for placed in story.bids]
    return Listing("Bids", ("bidder", "bid", "accepted", "entry"), rows, coloured)


def _happenings(story: Story, names: Names) -> Listing:
    currency = story.auction.terms.rules.currency
    rows = [
        (
            str(each.entry_index),
            clock_time(each.entry.time_ns),
            each.entry.kind.value,
            *fact_words(each.fact, currency, names),
        )
        for each in story.others
    ]
    return Listing("Everything else in the log", ("entry", "time", "kind", "who", "what"), rows)


def _commands(given: Given, house: str | None) -> list[tuple[str, str]]:
    """How to check it again; the file is the reader's own copy, or one from the house."""
    key, file = "auc1…" if house is None else house, f"LOG{SUFFIX}"
    same = [f"auctionctl report {file} -o again.html"]
    same += [] if given.known is None else [f"--house {key}"]
    same += [] if given.beside.registry is None else [f"--registry {REGISTRY_NAME}{SUFFIX}"]
    same += [f"--clock-head {path.name}" for path, _ in given.beside.clock_heads]
    return [
        (
            "Have the exported log from whoever gave you this page, or from the house itself: its SHA-256 is below.",
            f"sha256sum {file}",
        ),
        (
            "Check it offline, against the key of the house as you know it from elsewhere: here stands what the log"
            " claims.",
            f"auctionctl verify {file} --house {key}",
        ),
        ("Make this page anew, and compare the two byte by byte.", " ".join(same)),
    ]
