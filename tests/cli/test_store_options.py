"""The options that say how to get into a cluster are those of the settings; a login is none of them."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from auctionctl.cli.settings.cluster_settings import wire_words
from auctionctl.cli.settings.house_file import HOUSE_SETTINGS
from auctionctl.cli.store_options import STORE_OPTIONS

LOGIN = "house:s3cret-word"
SEED = "SUAGC5LDORUW63TDORWC25DFON2C25TFMN2G64RNONSWKZBNGAYDAMO3O4"


def test_every_option_is_a_setting() -> None:
    assert set(STORE_OPTIONS) <= {setting.name for setting in HOUSE_SETTINGS}


@pytest.mark.parametrize("command", ["serve", "doctor"])
@pytest.mark.parametrize("address", [f"nats://{LOGIN}@a,b", f"tls://{LOGIN}@a", f"{LOGIN}@a", f"http://x/{LOGIN}@"])
def test_a_login_on_the_command_line_is_refused_with_where_to_put_it(run: Any, command: str, address: str) -> None:
    done = run(command, "--store", address)
    assert done.status == 2
    assert "seen by everybody" in done.err
    assert "--store-credentials FILE" in done.err
    assert "s3cret" not in done.out + done.err


@pytest.fixture
def house(run: Any, home: Path) -> Path:
    run("init", "--house")
    return home / "config/house.toml"


def test_a_login_in_a_file_that_others_may_read_is_refused_and_one_of_its_owner_taken(run: Any, house: Path) -> None:
    house.write_text(f'store = "nats://{LOGIN}@127.0.0.1:1"\n')
    house.chmod(0o644)
    done = run("serve")
    assert done.status == 78
    assert "others have access to the file (mode 0644)" in done.err
    assert "chmod 600" in done.err
    assert "s3cret" not in done.err
    house.chmod(0o600)
    found = {each["subject"]: each for each in json.loads(run("doctor", "--json").out)["findings"]}
    assert "no server answers" in str(found["cluster"])


def test_settings_are_shown_without_the_login(run: Any, house: Path) -> None:
    house.write_text(f'store = "nats://{LOGIN}@a,b?monitor=9"\n')
    house.chmod(0o600)
    for form in ((), ("--json",)):
        done = run("config", "show", *form)
        assert "nats://…@a,b?monitor=9" in json.loads(done.out)["settings"].__repr__() if form else done.out
        assert "s3cret" not in done.out


def test_credentials_are_checked_before_anything_starts(run: Any, house: Path, tmp_path: Path) -> None:
    file = tmp_path / "login"
    file.write_text(SEED)
    file.chmod(0o644)
    given = ("serve", "--store", "nats://127.0.0.1:1", "--store-credentials", str(file))
    done = run(*given)
    assert "others have access" in done.err
    file.chmod(0o600)
    file.write_text("s3cret-word")
    done = run(*given)
    assert "has no credentials" in done.err
    assert "nsc" in done.err
    assert "s3cret" not in done.err
    done = run("serve", "--store", "nats://127.0.0.1:1", "--store-credentials", "none")
    assert "no file of credentials" in done.err
    done = run("serve", "--store-credentials", str(file))
    assert "--store nats://A,B,C" in done.err
    house.write_text(f'store = "nats://{LOGIN}@127.0.0.1:1"\nstore_credentials = "{file}"\n')
    house.chmod(0o600)
    done = run("serve")
    assert "there are two logins" in done.err
    assert "s3cret" not in done.err


def test_a_wire_that_others_may_be_on_is_warned_of() -> None:
    assert wire_words("nats://127.0.0.1") == wire_words("tls://a") == wire_words(None) == ""
    assert "whoever is on it reads" in wire_words("nats://a")
    assert "tls://" in wire_words("nats://a")


def test_what_there_is_to_warn_of_is_said_before_the_house_starts(run: Any, house: Path) -> None:
    house.write_text('store = "nats://a,b,c"\ninstance = "a"\nadvertise = "a.example:8888"\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--metrics", str(taken.getsockname()[1]))
    assert "whoever is on it reads" in done.err
    assert "clients are sent to a.example:8888, and this instance listens on 127.0.0.1 alone" in done.err
