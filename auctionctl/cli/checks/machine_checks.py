"""What can be wrong with this machine: libraries, directories, the state of houses, their addresses, the port.

Rule: nothing is changed, and nothing waited for; each finding comes with what mends it.
"""

from __future__ import annotations

import errno
import importlib.metadata
import os
import shlex
import socket
import stat
import sys
from pathlib import Path
from typing import Final

from auctionctl.cli.address_file import running_houses
from auctionctl.cli.checks.findings import Finding, State
from auctionctl.cli.key_use import find_holder
from auctionctl.cli.settings.house_file import combine, find_house_layers
from auctionctl.client.files import is_there, read_bounded
from auctionctl.client.paths import ADDRESS_SUFFIX, Paths
from auctionctl.errors import AuctionctlError, ConfigurationError, NotFoundError
from auctionctl.wire.address import parse_address

MIN_PYTHON: Final = (3, 11)
MIN_SQLITE: Final = (3, 51, 3)
"""Before it, a write-ahead log could be damaged by being reset (sqlite.org/wal.html)."""
MIN_LIBZMQ: Final = (4, 3)
MIN_PACKAGES: Final = (("pynacl", (1, 5)), ("msgspec", (0, 19)))
SCARCE_BYTES: Final = 256 * 1024 * 1024
MAX_ADDRESS_BYTES: Final = 4096


def check_libraries() -> list[Finding]:
    """Python, and the libraries that bids and their durability rest on."""
    from auctionctl.net.versions import has_curve, libzmq_version  # noqa: PLC0415 - imports zmq
    from auctionctl.store.sqlite import sqlite_version  # noqa: PLC0415

    python = ".".join(map(str, sys.version_info[:3]))
    findings = [
        _check_version("Python", python, MIN_PYTHON, "install a newer Python"),
        _check_version("SQLite", sqlite_version(), MIN_SQLITE, "pip install --upgrade apsw"),
        _check_version("libzmq", libzmq_version(), MIN_LIBZMQ, "pip install --upgrade pyzmq"),
    ]
    if not has_curve():
        remedy = "install pyzmq from a wheel: pip install --force-reinstall --only-binary :all: pyzmq"
        findings.append(Finding(State.WRONG, "libzmq", "it was built without CURVE, and cannot encrypt", remedy))
    for package, least in MIN_PACKAGES:
        version = importlib.metadata.version(package)
        what = "PyNaCl (with libsodium)" if package == "pynacl" else package
        findings.append(_check_version(what, version, least, f"pip install --upgrade {package}"))
    return findings


def _check_version(what: str, version: str, least: tuple[int, ...], remedy: str) -> Finding:
    numbers = tuple(int(part) for part in version.split(".")[: len(least)] if part.isdigit())
    if numbers >= least:
        return Finding(State.OK, what, version)
    needed = ".".join(map(str, least))
    return Finding(State.WRONG, what, f"version {version}, where at least {needed} is needed", remedy)


def check_directories(paths: Paths) -> list[Finding]:
    """The directories that are there: ours, and written to by nobody else."""
    places = {"configuration": paths.config, "keys": paths.keys, "state": paths.state, "run": paths.run}
    findings = [
        _check_directory(name, place) for name, place in places.items() if is_there(place) or os.path.islink(place)
    ]
    if not findings:
        remedy = "begin with: auctionctl init"
        return [Finding(State.WARNING, "directories", f"there are none yet, not even {paths.config}", remedy)]
    return findings


def _check_directory(name: str, directory: Path) -> Finding:
    place = shlex.quote(str(directory))
    try:
        status = directory.stat()
    except OSError as error:
        return Finding(State.WRONG, name, f"{directory}: {(error.strerror or '').lower()}", f"see: ls -ld {place}")
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISDIR(status.st_mode):
        return Finding(State.WRONG, name, f"{directory} is no directory", "move it out of the way")
    if status.st_uid != os.geteuid():
        remedy = f"run: sudo chown -R {os.geteuid()} {place}, or set AUCTIONCTL_HOME"
        return Finding(State.WRONG, name, f"{directory} belongs to another user (uid {status.st_uid})", remedy)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        remedy = f"run: chmod go-w {place}"
        return Finding(State.WRONG, name, f"others can write to {directory} (mode {mode:04o})", remedy)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        return Finding(State.WRONG, name, f"you cannot use {directory} (mode {mode:04o})", f"run: chmod u+rwx {place}")
    return Finding(State.OK, name, f"{directory} (mode {mode:04o})")


def check_houses(paths: Paths) -> list[Finding]:
    """The state of each house on this machine: its mode, who holds it, its size, and the room that it has left."""
    try:
        directories = sorted(paths.state.glob(f"{paths.house_state('').name}*"))
    except OSError as error:
        return [Finding(State.WRONG, "houses", f"{paths.state}: {(error.strerror or '').lower()}", "make it yours")]
    return [finding for directory in directories if os.path.isdir(directory) for finding in _check_house(directory)]


def _check_house(directory: Path) -> list[Finding]:
    name = directory.name.replace("house-", "house ", 1)
    place = shlex.quote(str(directory))
    try:
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            message = f"others have access to {directory} (mode {mode:04o}), and the house will not start"
            return [Finding(State.WRONG, name, message, f"run: chmod 700 {place}")]
        size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
        disk = os.statvfs(directory)
        holder = find_holder(directory)
    except OSError as error:
        message = f"cannot look into {directory}: {(error.strerror or '').lower()}"
        return [Finding(State.WRONG, name, message, f"see: ls -la {place}")]
    free_bytes = disk.f_bavail * disk.f_frsize
    held = "does not run" if holder is None else f"runs as {holder.text}"
    message = f"{held}; {_size(size)} in {directory}, {_size(free_bytes)} free"
    if free_bytes < SCARCE_BYTES:
        remedy = "make room: a full disk stops acceptance, though nothing that was acknowledged is lost"
        return [Finding(State.WARNING, name, message, remedy)]
    return [Finding(State.OK, name, message)]


def _size(size_bytes: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= scale:
            return f"{size_bytes * 10 // scale / 10:g} {unit}"
    return f"{size_bytes} bytes"


def check_addresses(paths: Paths) -> list[Finding]:
    """Address files: those of houses that run, and what others left behind."""
    running = running_houses(paths)
    findings = []
    for path in sorted(paths.run.glob(f"[!.]*{ADDRESS_SUFFIX}")) if os.path.isdir(paths.run) else []:
        subject = f"address {path.name.removesuffix(ADDRESS_SUFFIX)}"
        if path in running:
            findings.append(_check_address(subject, path))
        else:
            remedy = f"start the house, or run: rm {shlex.quote(str(path))}"
            findings.append(Finding(State.WARNING, subject, f"{path} is of a house that does not run", remedy))
    return findings


def _check_address(subject: str, path: Path) -> Finding:
    try:
        return Finding(State.OK, subject, _read_address(path))
    except (NotFoundError, ConfigurationError) as error:
        return Finding(State.WRONG, subject, f"{path}: {error}", "restart the house: it writes the file anew")


def _read_address(path: Path) -> str:
    return parse_address(read_bounded(path, MAX_ADDRESS_BYTES).decode("ascii", "replace")).text


def check_port(paths: Paths) -> list[Finding]:
    """The port that a house would listen on: free, or taken, and by whom. Nothing where house.toml is wrong."""
    try:
        section = combine(find_house_layers(paths.config, None)).section
    except AuctionctlError:
        return []  # reported with the files
    subject = f"port {section.port}"
    reason = _try_port(section.bind, section.port)
    if reason == 0:
        return [Finding(State.OK, subject, f"free on {section.bind}")]
    if reason == errno.EADDRINUSE:
        for path in running_houses(paths):
            if _port_in(path) == section.port:
                house = path.name.removesuffix(ADDRESS_SUFFIX)
                return [Finding(State.OK, subject, f"taken by the house {house}, which runs")]
        remedy = f"see by whom: lsof -i :{section.port}; or set another port in house.toml"
        return [Finding(State.WARNING, subject, f"taken on {section.bind}, and not by a house of yours", remedy)]
    if reason == errno.EACCES:
        remedy = "set a port of 1024 or more in house.toml"
        return [Finding(State.WRONG, subject, f"you may not listen on it on {section.bind}", remedy)]
    message = f"cannot listen on {section.bind}: {os.strerror(reason).lower() if reason > 0 else 'no such address'}"
    return [Finding(State.WRONG, subject, message, "set bind in house.toml to an address of this machine")]


def _port_in(path: Path) -> int:
    try:
        return parse_address(read_bounded(path, MAX_ADDRESS_BYTES).decode("ascii", "replace")).port
    except (NotFoundError, ConfigurationError):
        return 0


def _try_port(host: str, port: int) -> int:
    """0 if a socket can listen there now, else why not, as errno; negative for a host that is none."""
    try:
        places = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = places[0]
        with socket.socket(family, kind, protocol) as listener:
            # As libzmq does: connections that have just ended do not count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(1)
    except socket.gaierror:
        return -1
    except OSError as error:
        return error.errno or -1
    return 0
