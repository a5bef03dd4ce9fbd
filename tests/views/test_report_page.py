from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

from auctionctl.views.report_page import MAX_ROWS, Listing, ReportPage, Verdict, report_page

VERDICT = Verdict(True, "every entry", [("house", "auc1x")], ["a bid claims another history"])
PAGE = ReportPage(
    title="Gold <b>watch</b>",
    subtitle="gold-watch",
    result="Sold to alice",
    verdict=VERDICT,
    facts=[("Terms", [("item", "Gold & silver")])],
    price_path=None,
    listings=[Listing("Bids", ("bidder", "bid"), [("alice", "1.00EUR")], [0])],
    commands=[("Check it", "auctionctl verify LOG.auction")],
    hashes=[("auction", "00ff")],
    note="origin\n1\nAAA=\n\n— origin <x>\n",
)


def tree(page: ReportPage) -> ElementTree.Element:
    return ElementTree.fromstring(report_page(page))


def test_the_page_is_well_formed_and_shows_words_as_words() -> None:
    html = tree(PAGE)
    assert html.findtext("body/h1") == "Gold <b>watch</b>"
    assert [each.text for each in html.iter("dd")] == ["auc1x", "Gold & silver", "00ff"]
    assert [each.text for each in html.iter("pre")][-1] == "origin\n1\nAAA=\n\n— origin <x>\n"
    assert not list(html.iter("b"))


def test_the_page_may_load_and_run_nothing_but_its_own_style() -> None:
    text = report_page(PAGE)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    style = re.search("<style>(.*)</style>", text, re.DOTALL)
    assert policy is not None
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#x27;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"<script|<link|<img|<iframe|\bstyle=|\bon\w+=|url\(|@import|\bhref=|\bsrc=", text)


def test_browsers_read_the_same_elements_as_xml_does() -> None:
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            opened.append(tag)

    Reader().feed(report_page(PAGE))
    assert opened == [each.tag.rpartition("}")[2] for each in tree(PAGE).iter()]


def test_what_does_not_verify_is_said_in_red() -> None:
    assert tree(PAGE).find("body/section[@class='verdict good']") is not None
    bad = tree(replace(PAGE, verdict=Verdict(False, "entry 3: signature", [])))
    section = bad.find("body/section[@class='verdict bad']")
    assert section is not None
    assert (section.findtext("strong"), section.findtext("p[@class='words']")) == (
        "Does not verify",
        "entry 3: signature",
    )


def test_a_long_table_loses_its_middle_and_says_so() -> None:
    rows = [(f"row {number}",) for number in range(MAX_ROWS + 100)]
    html = tree(replace(PAGE, listings=[Listing("Bids", ("bid",), rows)]))
    cells = [each.text for each in html.iter("td")]
    assert len(cells) == MAX_ROWS
    assert (cells[0], cells[-1]) == ("row 0", f"row {MAX_ROWS + 99}")
    assert any((each.text or "").startswith("100 of 600 in the middle") for each in html.iter("p"))


def test_the_same_content_gives_the_same_bytes() -> None:
    assert report_page(PAGE) == report_page(replace(PAGE))
