"""What is offered for a name is what this machine knows, of the house in question, and safe in every shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.cli.completion import candidates
from auctionctl.cli.completion.candidates import Known
from auctionctl.cli.completion.catalogue_cache import KnownAuction, catalogue_path, remember
from auctionctl.client.paths import Paths

CLUB = "auc1" + "c" * 109
GUILD = "auc1" + "g" * 109


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")
    made.keys.mkdir(parents=True)
    remember(catalogue_path(made.state, CLUB), [KnownAuction("watch", "ab" * 32, "Gold watch", "open")])
    remember(catalogue_path(made.state, GUILD), [KnownAuction("plate", "cd" * 32, "Plate", "")])
    (made.config / "contexts.toml").write_text(
        f'[contexts.club]\nhouse = "auction://{CLUB}@h:1"\n[contexts."a b"]\n[contexts.odd]\nhouse = 1\n'
    )
    return made


def known(paths: Paths, begun: str = "", options: dict[str, str] | None = None, **environment: str) -> Known:
    return Known(paths, environment, options or {}, begun)


def words(found: list[tuple[str, str]]) -> list[str]:
    return [word for word, _ in found]


def test_keys_are_offered_by_name_and_no_name_that_a_shell_could_misread(paths: Paths) -> None:
    for name in ("bob", "alice", "-rf", "a b", "$(x)", "a;b", "x\ny"):
        (paths.keys / f"{name}.key").write_text("")
    assert words(candidates.key_names(known(paths))) == ["alice", "bob"]


def test_contexts_are_offered_with_their_house(paths: Paths) -> None:
    assert candidates.context_names(known(paths)) == [("club", f"auction://{CLUB}@h:1"), ("odd", "")]


def test_who_is_allowed_is_offered(paths: Paths) -> None:
    paths.allow_list.write_text(f"# all\n{CLUB} alice role=bidder # first\n\n{GUILD}\n{GUILD} bob\n")
    assert words(candidates.allowed_names(known(paths))) == ["alice", "bob"]


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ({}, {}, ["watch", "plate"]),
        ({"--house": f"auction://{CLUB}@h:1"}, {}, ["watch"]),
        ({"--house": GUILD}, {}, ["plate"]),
        ({}, {"AUCTIONCTL_HOUSE": f"auction://{GUILD}@h:1"}, ["plate"]),
        ({"--house": f"auction://{CLUB}@h:1"}, {"AUCTIONCTL_HOUSE": f"auction://{GUILD}@h:1"}, ["watch"]),
        ({"--house": "club"}, {}, ["watch"]),
        ({"--context": "club"}, {"AUCTIONCTL_HOUSE": f"auction://{GUILD}@h:1"}, ["watch"]),
        ({}, {"AUCTIONCTL_CONTEXT": "club"}, ["watch"]),
        ({"--house": "auction://auc1" + "z" * 109}, {}, []),
    ],
)
def test_auctions_are_those_of_the_house_in_question(
    paths: Paths, options: dict[str, str], environment: dict[str, str], expected: list[str]
) -> None:
    assert words(candidates.auctions(known(paths, "", options, **environment))) == expected


def test_without_a_word_about_it_the_house_is_that_of_the_current_context(paths: Paths) -> None:
    file = paths.config / "contexts.toml"
    file.write_text('current = "club"\n' + file.read_text())
    assert words(candidates.auctions(known(paths))) == ["watch"]


def test_an_auction_is_described_and_offered_by_its_id_once_one_is_begun(paths: Paths) -> None:
    assert candidates.auctions(known(paths))[0] == ("watch", "Gold watch (open)")
    assert candidates.auctions(known(paths))[1] == ("plate", "Plate")
    assert ("abababababab", "watch: Gold watch") in candidates.auctions(known(paths, "ab"))


def test_at_most_a_thousand_names_are_offered(paths: Paths) -> None:
    paths.allow_list.write_text("".join(f"k name{number}\n" for number in range(1500)))
    assert len(candidates.allowed_names(known(paths))) == candidates.MAX_NAMES
