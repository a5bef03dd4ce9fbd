from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from auctionctl.keys.signing import SecretKey

ALICE, BOB = (SecretKey(bytes([number]) * 32).identity.text for number in (1, 2))


def test_who_is_added_is_on_the_list(run: Any, home: Path) -> None:
    done = run("allow", "add", ALICE, "alice")
    assert (done.status, done.out) == (0, "")
    assert "alice may come in as bidder: 1 on the list" in done.err
    assert run("allow", "add", BOB, "bob", "--role", "seller+observer").status == 0
    path = home / "config/allow"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(home / "config") == ["allow"]
    assert run("allow", "ls").out == (
        f"name\trole\tlimits\tpublic key\nalice\tbidder\t-\t{ALICE}\nbob\tseller+observer\t-\t{BOB}\n"
    )
    records = json.loads(run("allow", "ls", "--json").out)["entries"]
    assert records[0] == {"name": "alice", "role": "bidder", "public_key": ALICE, "limits": {}}


def test_lines_of_others_stay_as_they_are(run: Any, home: Path) -> None:
    path = home / "config/allow"
    path.parent.mkdir(parents=True)
    path.write_text(f"# friends\n{ALICE}   alice  # since 2020\n")
    assert run("allow", "add", BOB, "bob").status == 0
    assert path.read_text() == f"# friends\n{ALICE}   alice  # since 2020\n{BOB} bob\n"


def test_limits_of_ones_own_are_shown_and_kept_until_they_are_taken_back(run: Any, home: Path) -> None:
    assert run("allow", "add", ALICE, "alice", "--limit", "bids_per_s=100", "--limit", "bids_burst=400").status == 0
    path = home / "config/allow"
    assert path.read_text() == f"{ALICE} alice bids_per_s=100 bids_burst=400\n"
    assert f"alice\tbidder\tbids_per_s=100 bids_burst=400\t{ALICE}\n" in run("allow", "ls").out
    (record,) = json.loads(run("allow", "ls", "--json").out)["entries"]
    assert record["limits"] == {"bids_per_s": 100, "bids_burst": 400}
    assert run("allow", "add", ALICE, "alice", "--role", "seller", "--replace").status == 0
    assert path.read_text() == f"{ALICE} alice role=seller bids_per_s=100 bids_burst=400\n"
    done = run("allow", "add", ALICE, "alice", "--role", "seller", "--limit", "none")
    assert "with the role seller with bids_per_s=100 bids_burst=400" in done.err
    assert run("allow", "add", ALICE, "alice", "--role", "seller", "--limit", "none", "--replace").status == 0
    assert path.read_text() == f"{ALICE} alice role=seller\n"


def test_an_empty_list_says_how_to_fill_it(run: Any) -> None:
    done = run("allow", "ls")
    assert done.status == 0
    assert "auctionctl allow add" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("auc1x", "alice"), "KEY: "),
        ((ALICE, "A B"), "'A B' is no name"),
        ((ALICE, "x\ny"), "NAME: 'x\\ny' is no name"),
        ((ALICE, "alice", "--role", "king"), "'king' is no role"),
        ((ALICE, "alice", "--role", "bidder+bidder"), "stands twice"),
        ((ALICE, "alice", "--limit", "bids_per_s"), "'bids_per_s=' is no option"),
        ((ALICE, "alice", "--limit", "bids_per_s=0"), "bids_per_s is '0'"),
        ((ALICE, "alice", "--limit", "bids=1"), "unknown option 'bids'"),
        ((ALICE, "alice", "--limit", "role=operator"), "cannot be written as one line"),
    ],
)
def test_a_wrong_entry_is_refused_and_the_list_stays(
    run: Any, home: Path, arguments: tuple[str, ...], message: str
) -> None:
    run("allow", "add", BOB, "bob")
    before = (home / "config/allow").read_bytes()
    done = run("allow", "add", *arguments)
    assert done.status == 2
    assert message in done.err
    assert (home / "config/allow").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((BOB, "other"), "this key is on the list"),
        ((BOB, "bob", "--role", "observer"), "as bob with the role bidder"),
        ((ALICE, "bob"), "the name of bob is taken by bob"),
    ],
)
def test_who_is_there_already_is_not_replaced(run: Any, home: Path, arguments: tuple[str, ...], message: str) -> None:
    run("allow", "add", BOB, "bob")
    before = (home / "config/allow").read_bytes()
    done = run("allow", "add", *arguments)
    assert done.status == 78
    assert message in done.err
    assert "hint: " in done.err
    assert (home / "config/allow").read_bytes() == before


def test_a_list_that_cannot_be_used_is_named_with_its_line(run: Any, home: Path) -> None:
    path = home / "config/allow"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"# fine\n\xffnonsense\n")
    for arguments in (("allow", "ls"), ("allow", "add", ALICE, "alice")):
        done = run(*arguments)
        assert done.status == 78
        assert "line 2: " in done.err
        assert str(path) in done.err
    assert path.read_bytes() == b"# fine\n\xffnonsense\n"
    path.write_bytes(b"nonsense x\n")
    assert "line 1: wrong prefix" in run("allow", "ls").err
    path.unlink()
    path.mkdir()
    assert run("allow", "ls").status == 78


def test_who_is_there_already_with_the_same_role_changes_nothing(run: Any, home: Path) -> None:
    run("allow", "add", BOB, "bob")
    before = (home / "config/allow").stat()
    done = run("allow", "add", BOB, "bob")
    assert done.status == 0
    assert "nothing to change" in done.err
    assert (home / "config/allow").stat().st_ino == before.st_ino


def test_a_line_is_changed_where_that_is_asked_for_and_no_other(run: Any, home: Path) -> None:
    path = home / "config/allow"
    path.parent.mkdir(parents=True)
    path.write_text(f"# friends\n{ALICE}   alice role=observer  # since 2020\n\n{BOB} bob\n# end")
    done = run("allow", "add", ALICE, "alicia", "--role", "seller", "--replace")
    assert done.status == 0
    assert "alicia may come in as seller: 2 on the list" in done.err
    assert path.read_text() == f"# friends\n{ALICE} alicia role=seller  # since 2020\n\n{BOB} bob\n# end"
    changed = json.loads(run("allow", "add", ALICE, "alice", "--replace", "--json").out)
    assert changed == {
        "schema": "auctionctl.allow-add/1",
        "name": "alice",
        "role": "bidder",
        "public_key": ALICE,
        "limits": {},
        "change": "replaced",
    }
    before = path.read_bytes()
    done = run("allow", "add", ALICE, "bob", "--replace")
    assert done.status == 78
    assert "auctionctl allow rm bob" in done.err
    assert path.read_bytes() == before


@pytest.mark.parametrize("who", ["alice", ALICE])
def test_who_is_taken_off_the_list_leaves_the_rest_as_it_was(run: Any, home: Path, who: str) -> None:
    path = home / "config/allow"
    path.parent.mkdir(parents=True)
    path.write_text(f"# friends\n{ALICE}   alice  # since 2020\n\n\t{BOB} bob # too\n")
    done = run("allow", "rm", who)
    assert done.status == 0
    assert "alice may no longer come in: 1 on the list" in done.err
    assert path.read_text() == f"# friends\n\n\t{BOB} bob # too\n"
    assert json.loads(run("allow", "rm", "bob", "--json").out)["change"] == "removed"


def test_who_is_not_on_the_list_cannot_be_taken_off(run: Any, home: Path) -> None:
    assert run("allow", "rm", "alice").status == 3
    assert not home.exists()
    run("allow", "add", ALICE, "alice")
    done = run("allow", "rm", "alic")
    assert done.status == 3
    assert "did you mean alice?" in done.err
    assert "allow ls" in run("allow", "rm", "zzz").err


def test_a_list_behind_a_link_stays_behind_it_with_its_mode(run: Any, home: Path, tmp_path: Path) -> None:
    target = tmp_path / "shared"
    target.write_text(f"{ALICE} alice\n")
    target.chmod(0o640)
    (home / "config").mkdir(parents=True)
    (home / "config/allow").symlink_to(target)
    assert run("allow", "add", BOB, "bob").status == 0
    assert run("allow", "rm", "alice").status == 0
    assert (home / "config/allow").is_symlink()
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == (f"{BOB} bob\n", 0o640)
