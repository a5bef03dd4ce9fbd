from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from auctionctl.cli.report import JSON_SCHEMA

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def log(sold: Any, tmp_path: Path) -> Path:
    path = tmp_path / "gold.auction"
    path.write_bytes(sold.data)
    return path


def words_of(page: Path) -> str:
    return " ".join("".join(ElementTree.fromstring(page.read_text()).itertext()).split())


def test_a_log_becomes_a_page_with_its_result_and_the_verdict(sold: Any, log: Path, run: Any, tmp_path: Path) -> None:
    page = tmp_path / "gold.html"
    done = run("report", log, "-o", page, "--house", sold.house.key.identity.text)
    assert (done.status, done.out, done.err) == (0, "", "")
    words = words_of(page)
    for said in ("Gold watch", "Verified", "120.00EUR", sold.auction.hex(), "every entry, signature and rule"):
        assert said in words
    assert f"Sold to {sold.house.bidders[1].identity.short} at 120.00EUR" in words
    assert hashlib.sha256(log.read_bytes()).hexdigest() in words
    assert f"auctionctl verify LOG.auction --house {sold.house.key.identity.text}" in words
    assert "as the file claims" not in words


def test_the_same_log_gives_the_same_bytes_and_json_tells_what_was_written(
    sold: Any, log: Path, run: Any, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.html", tmp_path / "2.html"
    record = json.loads(run("report", log, "-o", first, "--json").out)
    assert run("report", log, "-o", second).status == 0
    assert first.read_bytes() == second.read_bytes()
    assert set(record) - {"schema"} == set(JSON_SCHEMA[record["schema"]])
    assert (record["id"], record["verified"], record["bytes"]) == (sold.auction.hex(), True, first.stat().st_size)
    assert record["log_sha256"] == hashlib.sha256(log.read_bytes()).hexdigest()
    assert "as the file claims" in words_of(first)


def test_a_registry_gives_bidders_their_names_and_is_held_against_the_log(
    sold: Any, log: Path, run: Any, tmp_path: Path
) -> None:
    registry = tmp_path / "registry.auction"
    registry.write_bytes(sold.house.registry_export())
    assert run("report", log, "-o", tmp_path / "x.html", "--registry", registry).status == 0
    words = words_of(tmp_path / "x.html")
    assert "Sold to bidder1 at 120.00EUR" in words
    assert "announces it, in entry" in words


def test_a_log_that_does_not_verify_gets_a_page_that_says_so_and_the_status_of_verify(
    log: Path, run: Any, tmp_path: Path
) -> None:
    lines = log.read_bytes().split(b"\n")
    lines[6], lines[7] = lines[7], lines[6]
    log.write_bytes(b"\n".join(lines))
    verified = run("verify", log)
    page = tmp_path / "x.html"
    done = run("report", log, "-o", page)
    assert (verified.status, done.status) == (7, 7)
    assert done.err == f"the page says so too: {page}\n{verified.err}"
    words = words_of(page)
    assert "Does not verify" in words
    assert verified.err.partition("auctionctl: ")[2].partition("\n")[0] in words
    assert "Nothing on this page is vouched for" in words
    assert "Gold watch" in words, "what can be read of it is shown"


@pytest.mark.parametrize("cut", [1, 40, -200])
def test_a_file_of_no_form_gets_a_page_without_an_auction(log: Path, run: Any, tmp_path: Path, cut: int) -> None:
    data = log.read_bytes()
    log.write_bytes(data[:15] + data[15 + cut :] if cut > 0 else data[:cut])
    done = run("report", log, "-o", tmp_path / "x.html")
    assert done.status == 7
    assert "Does not verify" in words_of(tmp_path / "x.html")


def test_a_log_that_is_another_houses_is_not_shown_as_verified(log: Path, run: Any, tmp_path: Path) -> None:
    from auctionctl.keys.signing import SecretKey

    other = SecretKey(bytes([99]) * 32).identity.text
    assert run("report", log, "-o", tmp_path / "x.html", "--house", other).status == 7
    assert "this is a log of another house" in words_of(tmp_path / "x.html")


def test_what_is_no_auction_gets_no_page(sold: Any, run: Any, tmp_path: Path) -> None:
    path, page = tmp_path / "x.auction", tmp_path / "x.html"
    for data, status in (
        (sold.house.registry_export(), 2),
        (sold.house.receipts[sold.commands[0]].encode(), 2),
        (b"something else", 7),
    ):
        path.write_bytes(data)
        assert run("report", path, "-o", page).status == status
        assert not page.exists()


def test_a_file_is_replaced_only_when_forced_and_nothing_is_left_behind(log: Path, run: Any, tmp_path: Path) -> None:
    page = tmp_path / "x.html"
    page.write_text("mine")
    done = run("report", log, "-o", page)
    assert done.status == 78
    assert "--force" in done.err
    assert page.read_text() == "mine"
    assert run("report", log, "-o", page, "--force").status == 0
    assert page.read_text() != "mine"
    assert set(os.listdir(tmp_path)) - {"home"} == {"gold.auction", "x.html"}


def test_a_page_is_named_after_the_listing_and_goes_to_stdout_where_that_is_asked(
    log: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("report", log)
    assert (done.status, done.err) == (0, "the page is in gold-watch.html\n")
    assert run("report", log, "-o", "-").out == (tmp_path / "gold-watch.html").read_text()


def test_an_auction_of_a_running_house_is_reported_by_its_name(fair: Any, tmp_path: Path) -> None:
    page = tmp_path / "quick.html"
    done = fair.run("report", "quick", "-o", page, "--key", "alice")
    assert done.status == 0, done.err
    words = words_of(page)
    assert "Quick [31mlot" in words
    assert "Verified" in words
    assert "as the file claims" not in words, "the house was asked for by its key"


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here: the page is parsed strictly, and not rendered")
def test_a_browser_shows_the_page_as_it_is_meant(log: Path, run: Any, tmp_path: Path) -> None:
    """In the policy's own terms: the style sheet, which it allows by hash, is applied; and nothing is complained of."""
    assert BROWSER is not None
    page, picture = tmp_path / "x.html", tmp_path / "x.png"
    assert run("report", log, "-o", page).status == 0
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--enable-logging=stderr",
    ]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"]
    done = subprocess.run(
        [BROWSER, *flags, f"--user-data-dir={tmp_path / 'browser'}", f"--screenshot={picture}", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "Content Security Policy" not in done.stderr
    assert "CONSOLE" not in done.stderr, done.stderr
