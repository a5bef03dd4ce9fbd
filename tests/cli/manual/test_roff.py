"""Whatever stands in a page is shown as it is, and nothing of it is taken for a request."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Part, Subheading, Table, render

HOSTILE = [
    ".so /etc/passwd",
    "'br",
    "a\\fBb\\n(.x",
    '"quoted" .TH',
    "--output-file=-",
    "x^y~z`",
    "auc1… → “ü”",
    ".",
    "...",
    "$ cat <<'END' | sed 's/\\./-/'",
]


def page(*parts: Part) -> Page:
    return Page("auctionctl-x", 5, "a page", parts, ("auctionctl(1)",))


def shown(*parts: Part) -> str:
    """What a person sees of the page, by the real formatter."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        [groff, "-ww", "-t", "-man", "-Tutf8", "-P-cbou", "-rLL=120n"],
        input=render(page(*parts)).encode("ascii"),
        capture_output=True,
        check=True,
    )
    assert done.stderr.decode() == ""
    # What a terminal shows of a minus sign differs between versions; that it is one sign is what counts.
    return done.stdout.decode().replace("−", "-").replace("‐", "-")


@pytest.mark.parametrize("text", HOSTILE)
def test_code_is_shown_as_it_is(text: str) -> None:
    assert f"\n           {text}\n" in shown(Heading("Code"), Code(f"{text}\n{text}"))


@pytest.mark.parametrize("text", [text.replace("`", "") for text in HOSTILE])
def test_running_text_terms_and_cells_are_shown_as_they_are(text: str) -> None:
    out = shown(
        Heading("x"),
        Paragraph(text),
        Definitions(((text, text),)),
        Table((text, text), ((text, text), ("_", "="))),
        Subheading(text),
    )
    body = "\n".join(out.strip().splitlines()[1:-1])
    assert body.count(text) == 8  # text; term and definition; the header's and the row's cells; the heading
    assert "=" in out
    assert "_" in out


def test_marks_become_fonts_and_what_they_enclose_keeps_its_dashes() -> None:
    text = render(page(Paragraph("Give `--key` with ‹NAME-1›.")))
    assert r"Give \fB\-\-key\fR with \fINAME\-1\fR." in text.splitlines()


def test_a_leading_literal_is_no_request() -> None:
    assert r"\fB.toml\fR files" in render(page(Paragraph("`.toml` files"))).splitlines()
    assert r"\&.toml files" in render(page(Paragraph(".toml files"))).splitlines()


@pytest.mark.parametrize("text", ["an `open one", "a ‹open one", "closed›", "`a‹b`›"])
def test_a_mark_that_does_not_close_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="does not close"):
        render(page(Paragraph(text)))


def test_control_characters_are_an_error() -> None:
    with pytest.raises(ValueError, match="control character"):
        render(page(Code("\x1b[31m")))


def test_a_row_that_does_not_fit_its_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="another number of cells"):
        render(page(Table(("a", "b"), (("1",),))))


def test_a_reference_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="no reference"):
        render(Page("x", 1, "a page", (), ("auctionctl",)))


def test_a_page_has_a_name_and_says_where_to_look_further_and_has_no_date() -> None:
    lines = render(page(Heading("Description"))).splitlines()
    assert lines[0].startswith('.TH "AUCTIONCTL\\-X" "5" "" "auctionctl ')
    assert lines[lines.index(".SH NAME") + 1] == r"auctionctl\-x \- a page"
    assert lines[-2:] == [".SH SEE ALSO", r"\fBauctionctl\fR(1)"]


def test_only_a_page_with_tables_asks_for_tbl() -> None:
    assert render(page(Table(("a", "b"), (("1", "2"),)))).startswith("'\\\" t\n.TH")
    assert render(page(Paragraph("x"))).startswith(".TH")


def test_the_paragraphs_of_a_definition_stay_beside_its_term() -> None:
    out = shown(Heading("x"), Definitions((("`term`", "first\n\nsecond"),)))
    indents = [len(line) - len(line.lstrip()) for line in out.splitlines() if line.strip() in ("first", "second")]
    assert len(indents) in (1, 2)  # a short term stands on the line of its first paragraph
    assert indents[-1] > 7


def test_an_empty_line_of_code_is_kept() -> None:
    assert "a\n\n           b" in shown(Heading("x"), Code("a\n\nb"))
