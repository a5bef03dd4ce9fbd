"""The house that is measured is one that ``serve`` runs, and it is gone when it has been measured."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from auctionctl.cli.benchmarks.bench_house import HOUSE, lots, paths_of, prepare_house, running_house
from auctionctl.cli.benchmarks.suite import Amounts
from auctionctl.cli.settings.house_file import HOUSE_FILE
from auctionctl.client.toml_file import read_toml
from auctionctl.errors import AuctionctlError
from auctionctl.house.limits import Limits
from auctionctl.keys.keyfile import key_path
from auctionctl.tlog.checkpoint import origin_of

LOT = '[[auction]]\nitem = "Lot"\nstarting_price = "1credits"\nmin_bidders = 1\n'


def test_as_many_lots_as_are_ever_measured_fit_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "AUCTIONS.toml"
    file.write_text(lots(Amounts().many_auctions))
    content = read_toml(file)
    assert len(content["auction"]) == Amounts().many_auctions


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc")
def test_it_serves_its_lots_until_it_has_been_measured(tmp_path: Path) -> None:
    keys = prepare_house(tmp_path, LOT, bidders=2, max_concurrent=1)
    assert len({key.identity.text for key in keys}) == 2
    with running_house(tmp_path, 30.0) as served:
        (auction,) = served.auctions
        assert origin_of(served.address.split("@")[0].removeprefix("auction://"), f"auction/{auction.hex()}")
        assert served.quarantined == []
        processes = [process for some in served.processes.values() for process in some]
        assert len(processes) >= 3
        assert all(map(is_alive, processes))
    assert not any(map(is_alive, processes))


def test_there_is_room_for_all_that_is_to_be_under_way_and_for_no_less_than_in_any_house(tmp_path: Path) -> None:
    usual, queues = Limits().queue, []
    for under_way in (0, usual, 3 * usual):
        home = tmp_path / str(under_way)
        home.mkdir()
        prepare_house(home, LOT, bidders=2, max_concurrent=1, under_way=under_way)
        queues.append(tomllib.loads((paths_of(home).config / HOUSE_FILE).read_text())["queue"])
    assert queues == [usual, usual, 3 * usual]


def test_a_house_that_cannot_start_is_an_error_and_not_a_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_house(tmp_path, LOT, bidders=1, max_concurrent=1)
    key_path(paths_of(tmp_path).keys, HOUSE).unlink()
    with pytest.raises(AuctionctlError, match="ended with status"), running_house(tmp_path, 30.0):
        pass
    assert "key" in capsys.readouterr().err
