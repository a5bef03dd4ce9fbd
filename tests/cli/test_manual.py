"""The committed manual is what the program says of itself today, and every page is well-formed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auctionctl.cli.manual.__main__ import completion_files, main, manual_files, write_directory
from auctionctl.cli.manual.library import pages
from auctionctl.cli.manual.roff import render

REGENERATE = "the manual is not what the program says: run  python -m auctionctl.cli.manual man completions"
REPOSITORY = Path(__file__).parent.parent.parent
PAGES = pages()
NAMES = [page.file_name for page in PAGES]
A_CODE = re.compile(r"\\\[u[0-9A-F]{4,6}\]")


def held(directory: str) -> dict[str, str]:
    root = REPOSITORY / directory
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("directory", ["man", "completions"])
def test_the_committed_files_are_fresh(directory: str) -> None:
    fresh = manual_files() if directory == "man" else completion_files()
    committed = held(directory)
    different = sorted(name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name))
    assert not different, f"{REGENERATE} ({', '.join(different[:5])})"


def test_generating_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-P",
        "-m",
        "auctionctl.cli.manual",
        str(tmp_path / "man"),
        str(tmp_path / "completions"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    written = {
        path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()
    }
    assert {f"man/{name}": text for name, text in manual_files().items()}.items() <= written.items()


def test_what_is_not_generated_any_more_is_taken_away(tmp_path: Path) -> None:
    write_directory(tmp_path, {"man1/a.1": "a", "man1/b.1": "b"})
    write_directory(tmp_path, {"man1/a.1": "A"})
    assert [path.read_text() for path in tmp_path.rglob("*.1")] == ["A"]


def test_without_directories_there_is_a_line_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage: ")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_is_formatted_without_a_warning(page) -> None:  # type: ignore[no-untyped-def]
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        [groff, "-ww", "-t", "-man", "-Tutf8", "-rLL=78n"],
        input=render(page).encode("ascii"),
        capture_output=True,
        check=True,
    )
    assert done.stderr.decode() == ""
    assert len(done.stdout.splitlines()) > 10


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_man_itself_shows_a_page_without_a_warning(page, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    man = shutil.which("man")
    if man is None or b"--warnings" not in subprocess.run([man, "--help"], capture_output=True, check=False).stdout:
        pytest.skip("there is no man that warns")
    path = tmp_path / page.file_name
    path.write_text(render(page))
    done = subprocess.run([man, "-l", "--warnings", "-Tutf8", str(path)], capture_output=True, check=True)
    assert done.stderr.decode() == ""


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_page_that_is_referred_to_is_there(page) -> None:  # type: ignore[no-untyped-def]
    there = {each.reference for each in PAGES}
    text = A_CODE.sub("", render(page)).replace("\\fB", "").replace("\\fR", "").replace("\\-", "-")
    referred = set(re.findall(r"auctionctl[a-z-]*\(\d\)", text))
    assert referred <= there
    assert page.reference == "auctionctl(1)" or "auctionctl(1)" in referred


def test_the_first_page_leads_to_every_page_by_hand() -> None:
    (first,) = [page for page in PAGES if page.reference == "auctionctl(1)"]
    assert {page.reference for page in PAGES if page.section != 1} <= set(first.see_also)
