"""The page of one auction, for a browser: one file that loads nothing, runs nothing, and says whether the log holds.

Rule: the same content gives the same bytes. The policy in the page's head allows nothing but its own style sheet, by
hash: words of peers that became markup by some mistake could still neither load nor run anything. Source: Content
Security Policy Level 3.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from auctionctl.views.markup import Markup, element, joined
from auctionctl.views.price_path import PricePath, price_path_svg, swatch

MAX_ROWS: Final = 500
"""Of one table; the middle of a longer one is left out."""

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification came to: one line, what it says in detail, and what is to be warned of."""

    is_verified: bool
    words: str
    facts: Facts
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A table of text."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    bidders: Sequence[int] | None = None
    """For each row the number of its bidder, whose colour it gets; None: no colours."""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """All that the page shows. ``result`` is one line; ``price_path`` is None without a bid."""

    title: str
    subtitle: str
    result: str
    verdict: Verdict
    facts: Sequence[tuple[str, Facts]]
    """Sections of names and values, by heading."""
    price_path: PricePath | None
    listings: Sequence[Listing]
    commands: Sequence[tuple[str, str]]
    """How to check it again: what is done, and the command."""
    hashes: Facts
    note: str
    """The house's signed checkpoint, verbatim."""


STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c1e21;--soft:#5c636b;--line:#d5d9de;--paper:#fff;--card:#f6f7f9;
--good:#136f3a;--bad:#b3121d;--warn:#8a5a00;--accent:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--ink:#e7e9ec;--soft:#a0a8b1;--line:#3a4048;--paper:#14171a;--card:#1d2126;
--good:#54c27d;--bad:#ff6b70;--warn:#e0a64a;--accent:#7fb0f5}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:64rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{margin:0;font-size:1.9rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:2.5rem 0 .75rem;font-size:1.15rem}
p{margin:.4rem 0;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.result{font-size:1.2rem;font-weight:600}
.verdict{margin:1.5rem 0;padding:1rem 1.25rem;border-left:.35rem solid;background:var(--card)}
.good{border-color:var(--good)}.bad{border-color:var(--bad)}
.verdict strong{font-size:1.1rem}.good strong{color:var(--good)}.bad strong,.bad .words{color:var(--bad)}
.warning{color:var(--warn)}
dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.25rem 1.25rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem 1rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
white-space:nowrap}
td:last-child{white-space:normal;overflow-wrap:anywhere;min-width:12rem}
th{color:var(--soft);font-weight:600}
code,pre{font:.85rem/1.5 ui-monospace,monospace;background:var(--card)}
code{padding:.1rem .3rem;overflow-wrap:anywhere}
pre{padding:.75rem 1rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
.chart{width:100%;height:auto;display:block}
.swatch{vertical-align:-1px;margin-right:.4rem}
.label{fill:var(--soft);font:12px system-ui,sans-serif}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
.price{fill:none;stroke:var(--ink);stroke-width:1.5}
.halt{fill:var(--warn);opacity:.18}.extension{fill:var(--warn)}
.reserve{stroke:var(--accent);stroke-dasharray:6 4}
.b0{fill:#2f6fd0}.b1{fill:#d9622b}.b2{fill:#2c9a55}.b3{fill:#9a4fc4}.b4{fill:#c8a21a}.b5{fill:#1d9aa8}.b6{fill:#d1437f}
.b7{fill:#7a6a4f}.bx{fill:#8b929a}
@media print{body{max-width:none;padding:0}}
"""


def report_page(page: ReportPage) -> str:
    """The whole file."""
    body = [
        element("h1", page.title),
        element("p", page.subtitle, class_="soft"),
        element("p", page.result, class_="result"),
        _verdict(page.verdict),
    ]
    if page.price_path is not None:
        body += [element("h2", "Price and bids"), price_path_svg(page.price_path), _legend(page.price_path)]
    for heading, facts in page.facts:
        body += [element("h2", heading), _facts(facts)]
    for listing in page.listings:
        body += _listing(listing)
    body += [element("h2", "Check it yourself")]
    body += [joined([element("p", what), element("pre", element("code", line))]) for what, line in page.commands]
    body += [element("h2", "Hashes"), _facts(page.hashes)]
    if page.note:
        body += [element("p", "The checkpoint, as the house signed it:"), _verbatim(page.note)]
    html = element("html", _head(page.title), element("body", joined(body, "\n")), lang="en")
    return f"<!DOCTYPE html>\n{html}\n"


def _head(title: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE)),
    )


def _verdict(verdict: Verdict) -> Markup:
    kind, word = ("good", "Verified") if verdict.is_verified else ("bad", "Does not verify")
    parts = [element("strong", word), element("p", verdict.words, class_="words"), _facts(verdict.facts)]
    parts += [element("p", f"Warning: {warning}", class_="warning") for warning in verdict.warnings]
    return element("section", joined(parts), class_=f"verdict {kind}")


def _facts(facts: Facts) -> Markup:
    return element("dl", *(joined([element("dt", name), element("dd", value)]) for name, value in facts))


def _legend(path: PricePath) -> Markup:
    words = ["Each dot is a bid, in its bidder's colour; below, each bidder's bids by themselves."]
    words += ["A triangle: a late bid moved the end."] if path.extended_ns else []
    words += ["Shaded: the auction stood still."] if path.halts else []
    words += ["Dashed: the reserve, opened at the close."] if path.reserve_minor is not None else []
    return element("p", " ".join(words), class_="soft")


def _listing(listing: Listing) -> list[Markup]:
    count = len(listing.rows)
    shown = range(count) if count <= MAX_ROWS else [*range(MAX_ROWS // 2), *range(count - MAX_ROWS // 2, count)]
    head = element("tr", *(element("th", column, scope="col") for column in listing.columns))
    rows = []
    for number in shown:
        first, *others = (element("td", cell) for cell in listing.rows[number])
        if listing.bidders is not None:
            first = element("td", swatch(listing.bidders[number]), listing.rows[number][0])
        rows.append(element("tr", first, *others))
    table = element("table", element("thead", head), element("tbody", joined(rows, "\n")))
    parts = [element("h2", listing.heading), element("div", table, class_="scroll")]
    if count > MAX_ROWS:
        parts.append(element("p", f"{count - MAX_ROWS} of {count} in the middle are left out here.", class_="soft"))
    return parts


def _verbatim(text: str) -> Markup:
    """Lines as they are: each is made safe by itself."""
    return element("pre", joined([joined((line,)) for line in text.split("\n")], "\n"))
