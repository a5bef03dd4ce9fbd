"""An allow list is taken whole or not at all, and an error names its line (DESIGN.md section 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import AllowListError
from auctionctl.keys.allowlist import (
    MAX_ENTRIES,
    MAX_TEXT_BYTES,
    AllowList,
    Entry,
    Role,
    add_line,
    find_mistakes,
    parse,
    remove_line,
    render,
    replace_line,
)
from auctionctl.keys.signing import Identity, SecretKey

ALICE = SecretKey(b"a" * 32).identity
BOB = SecretKey(b"b" * 32).identity
CAROL = SecretKey(b"c" * 32).identity
RATE = frozenset({"rate"})

identities = st.builds(Identity, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True)
roles = st.lists(st.sampled_from([role.value for role in Role]), min_size=1, unique=True).map("+".join)
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=9)
entries = st.builds(
    Entry, identities, names, roles, st.one_of(st.just(()), values.map(lambda value: (("rate", value),)))
)
lists = st.lists(
    entries,
    max_size=5,
    unique_by=(lambda entry: entry.identity.signing, lambda entry: entry.identity.transport, lambda entry: entry.name),
)


def test_an_empty_list_knows_nobody() -> None:
    for text in ("", "\n", "# only a comment\n\n   \t \n"):
        assert len(parse(text)) == 0
    assert AllowList().by_name("alice") is None


def test_a_line_is_found_by_each_of_its_keys_and_by_its_name() -> None:
    known = parse(f"# our friends\n{ALICE.text} alice\n\n\t{BOB.text}  bob\trole=bidder+seller # since May\n")
    alice, bob = known
    assert alice == Entry(ALICE, "alice", "bidder", ())
    assert bob == Entry(BOB, "bob", "bidder+seller", ())
    assert known.by_signing(BOB.signing) is known.by_transport(BOB.transport) is known.by_name("bob") is bob
    assert known.by_signing(BOB.transport) is None
    assert known.by_transport(BOB.signing) is None
    assert known.by_name("carol") is None
    assert len(known) == 2


def test_roles_are_read_as_a_set() -> None:
    (entry,) = parse(f"{ALICE.text} alice role=operator+observer")
    assert entry.roles == {Role.OPERATOR, Role.OBSERVER}
    assert Entry(ALICE, "alice").roles == {Role.BIDDER}


def test_options_the_caller_knows_are_kept_in_order() -> None:
    (entry,) = parse(f"{ALICE.text} alice rate=5 role=seller note=a#b=c", option_keys=frozenset({"note", "rate"}))
    assert entry == Entry(ALICE, "alice", "seller", (("rate", "5"), ("note", "a#b=c")))


A, B, C = ALICE.text, BOB.text, CAROL.text
SAME_SIGNING = Identity(ALICE.signing, BOB.transport).text
SAME_TRANSPORT = Identity(BOB.signing, ALICE.transport).text


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        (f"{A} alice\n\n# x\n{A} bob", 4, "the signing key of bob is taken by alice", "take one of the two away"),
        (f"{A} alice\n{SAME_SIGNING} bob", 2, "the signing key of bob is taken by alice", "one line for each key"),
        (f"{A} alice\n{SAME_TRANSPORT} bob", 2, "the transport key of bob is taken by alice", "one line for each key"),
        (f"{A} alice\n{B} alice", 2, "the name of alice is taken by alice", "each name"),
        (f"\n{A}", 2, "a name is missing", "KEY NAME"),
        (f"{A} # alice", 1, "a name is missing", "KEY NAME"),
        (f"{A} Alice", 1, "'Alice' is no name", "1 to 32"),
        (f"{A} role=seller", 1, "'role=seller' is no name", "1 to 32"),
        (f"alice {A}", 1, "wrong prefix: a public key begins with auc1", "KEY NAME"),
        (f"{A[:-1]} alice", 1, "a public key has 113 characters, not 112", "copy the whole text"),
        (SecretKey(b"a" * 32).seed_text, 1, "a secret key stands where a public key belongs", "make a new key"),
        (f"{A} alice seller", 1, "'seller' is no option", "k=v"),
        (f"{A} alice role=", 1, "'role=' is no option", "k=v"),
        (f"{A} alice role = seller", 1, "'role' is no option", "without spaces"),
        (f"{A} alice rate=5", 1, "unknown option 'rate'", "known are: bids_burst, bids_per_s,"),
        (f"{A} alice =5", 1, "unknown option ''", "known are: bids_burst, bids_per_s,"),
        (f"{A} alice bids_per_s=0", 1, "bids_per_s is '0'", "a number from 1 to 1000000"),
        (f"{A} alice bids_burst=1000001", 1, "bids_burst is '1000001'", "a number from 1 to 1000000"),
        (f"{A} alice bids_per_s=007", 1, "bids_per_s is '007'", "a number from 1"),
        (f"{A} alice bids_per_s={'9' * 5_000}", 1, f"bids_per_s is '{'9' * 40}'", "a number from 1"),
        (f"{A} alice read_bytes_per_s=64k", 1, "read_bytes_per_s is '64k'", "from 4096 to 1000000000"),
        (f"{A} alice role=seller role=bidder", 1, "option role stands twice", "take one"),
        (f"{A} alice role=king", 1, "'king' is no role", "known are: bidder, seller, operator, observer"),
        (f"{A} alice role=seller+", 1, "'' is no role", "joined by '+'"),
        (f"{A} alice role=seller+seller", 1, "a role stands twice in 'seller+seller'", "once"),
        (f"{A} alice\r\n", 1, "character 120 is a control character", "Unix line ends"),
        (f"# \x1b[31m\n{A} alice", 1, "character 3 is a control character", "remove it"),
        (f"# a\n{A} alice # \u202ebidi", 2, "character 123 is not ASCII", "ASCII"),
        (f"{A}\u00a0alice", 1, "character 114 is not ASCII", "ASCII"),
    ],
)
def test_a_line_that_is_not_understood_is_refused_by_number_with_advice(
    text: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(AllowListError) as caught:
        parse(text)
    assert str(caught.value) == f"line {line}: {message}"
    assert caught.value.line == line
    assert hint in caught.value.hint


def test_more_than_ten_thousand_entries_are_refused() -> None:
    lines = [f"{Identity(n.to_bytes(32), n.to_bytes(32)).text} n{n}\n" for n in range(MAX_ENTRIES + 1)]
    assert len(parse("".join(lines[:-1]))) == MAX_ENTRIES
    with pytest.raises(AllowListError, match=f"line {MAX_ENTRIES + 2}: an allow list has at most 10000 entries"):
        parse("# full\n" + "".join(lines))


def test_a_list_of_more_than_four_mebibytes_is_refused() -> None:
    text = "#\n" * (MAX_TEXT_BYTES // 2 - 1) + "##"
    with pytest.raises(AllowListError, match=f"line {MAX_TEXT_BYTES // 2}: an allow list has at most"):
        parse(text + "#")
    assert len(parse("#" * MAX_TEXT_BYTES)) == 0


@given(lists)
def test_what_is_rendered_parses_to_the_same_entries(known: list[Entry]) -> None:
    assert list(parse("\n".join(render(entry) for entry in known), option_keys=RATE)) == known


@given(lists)
def test_lines_added_one_by_one_make_the_same_list(known: list[Entry]) -> None:
    text = "# ours"
    for entry in known:
        text = add_line(text, entry, option_keys=RATE)
    assert list(parse(text, option_keys=RATE)) == known


@given(st.text(st.sampled_from(f"{A[:8]} \t\n#=+\x00é"), max_size=60))
def test_any_text_is_a_list_or_an_error_with_a_line_of_it(text: str) -> None:
    line = 1
    try:
        parse(text)
    except AllowListError as error:
        line = error.line
    assert 1 <= line <= text.count("\n") + 1


def test_a_line_is_added_below_and_comments_and_order_stay() -> None:
    old = f"# the house's own\n{B}   bob role=operator  # day shift\n\n{A} alice\n# end"
    new = add_line(old, Entry(CAROL, "carol", "seller"))
    assert new == f"{old}\n{C} carol role=seller\n"
    assert add_line("", Entry(CAROL, "carol")) == f"{C} carol\n"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry(ALICE, "carol"), "line 3: the signing key of carol is taken by alice"),
        (Entry(CAROL, "alice"), "line 3: the name of alice is taken by alice"),
        (Entry(CAROL, "Carol"), "line 3: 'Carol' is no name"),
        (Entry(CAROL, f"carol\n{B} mallory"), "line 3: this entry cannot be written as one line"),
        (Entry(CAROL, "carol # "), "line 3: this entry cannot be written as one line"),
        (Entry(CAROL, "carol", "bidder", (("role", "operator"),)), "line 3: this entry cannot be written as one line"),
        (Entry(CAROL, "carol", "king"), "line 3: 'king' is no role"),
        (Entry(CAROL, "carol", options=(("rate", "5"),)), "line 3: unknown option 'rate'"),
    ],
)
def test_an_entry_that_would_not_read_back_alone_is_not_added(entry: Entry, message: str) -> None:
    with pytest.raises(AllowListError) as caught:
        add_line(f"# ours\n{A} alice", entry)
    assert str(caught.value) == message


def test_nothing_is_added_to_a_list_that_is_broken_already() -> None:
    with pytest.raises(AllowListError, match="line 2: a name is missing"):
        add_line(f"# ours\n{A}\n", Entry(CAROL, "carol"))


def test_a_line_is_replaced_with_its_comment_kept() -> None:
    text = f"# top\n{ALICE.text} alice  # one\n{BOB.text} bob\n"
    changed = replace_line(text, Entry(ALICE, "alice"), Entry(ALICE, "al", "seller"))
    assert changed == f"# top\n{ALICE.text} al role=seller  # one\n{BOB.text} bob\n"
    with pytest.raises(AllowListError, match="taken by"):
        replace_line(text, Entry(ALICE, "alice"), Entry(ALICE, "bob"))
    with pytest.raises(AllowListError):
        replace_line(text, Entry(ALICE, "alice"), Entry(ALICE, "al\nx"))
    assert remove_line(text, Entry(BOB, "bob")) == f"# top\n{ALICE.text} alice  # one\n"


def test_every_mistake_is_found_with_its_line() -> None:
    text = f"nonsense x\n{ALICE.text} alice\n{ALICE.text} other\n{BOB.text} alice\n{BOB.text}\n"
    assert [error.line for error in find_mistakes(text)] == [1, 3, 4, 5]
    assert find_mistakes(f"{ALICE.text} alice\n") == []
    assert len(find_mistakes("x y\n" * 500)) == 100
    assert len(find_mistakes(f"{ALICE.text} alice\n" * 500)) == 100
    assert [error.line for error in find_mistakes("#" * (MAX_TEXT_BYTES + 1))] == [1]
