from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from auctionctl.views.markup import Markup, element, escaped, joined
from auctionctl.views.peer_text import safe_text


def test_an_element_is_markup_and_words_are_not() -> None:
    inner = element("b", "x < y")
    assert inner == "<b>x &lt; y</b>"
    assert element("p", inner, "<i>", class_="a b") == '<p class="a b"><b>x &lt; y</b>&lt;i&gt;</p>'
    assert joined([inner, Markup("<hr/>")], "\n") == "<b>x &lt; y</b>\n<hr/>"


def test_an_element_without_content_ends_as_html_and_xml_both_read_it() -> None:
    assert element("circle", cx=1, aria_hidden="true") == '<circle cx="1" aria-hidden="true"/>'
    assert element("td") == "<td></td>"
    assert element("td", "") == "<td></td>"


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60))
def test_no_words_become_markup_wherever_they_stand(content: str, attribute: str) -> None:
    (text,) = ElementTree.fromstring(f"<a>{element('p', content, title=attribute)}</a>")
    assert len(text) == 0
    assert (text.text or "") == (safe_text(content, 5_000) if content else "")
    assert text.attrib == {"title": safe_text(attribute, 5_000) if attribute else ""}


def test_a_control_character_is_in_no_page() -> None:
    assert escaped("\x1b[2J\u202e<") == "[2J&lt;"
