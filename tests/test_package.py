"""What is installed holds every manual page and every completion script: the build drops silently what is not there."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SECTIONS = sorted(path.name for path in (REPOSITORY / "man").iterdir())
COMPLETIONS = {
    "auctionctl.bash": "share/bash-completion/completions/auctionctl",
    "_auctionctl": "share/zsh/site-functions/_auctionctl",
    "auctionctl.fish": "share/fish/vendor_completions.d/auctionctl.fish",
}


def build(kind: str, directory: Path) -> Path:
    """Build with the real backend, in a process of its own: it changes its surroundings."""
    code = f"import sys, hatchling.build as b; print(b.build_{kind}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(directory)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return directory / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    with zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        return {name.partition(".data/data/")[2]: archive.read(name) for name in archive.namelist() if ".data/" in name}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_wheel_installs_every_page_of_a_section(wheel: dict[str, bytes], section: str) -> None:
    pages = {f"share/man/{section}/{path.name}": path.read_bytes() for path in (REPOSITORY / "man" / section).iterdir()}
    assert pages
    assert {name: data for name, data in wheel.items() if name.startswith(f"share/man/{section}/")} == pages


def test_the_wheel_installs_every_completion_script_where_its_shell_looks(wheel: dict[str, bytes]) -> None:
    assert {path.name for path in (REPOSITORY / "completions").iterdir()} == set(COMPLETIONS)
    for name, target in COMPLETIONS.items():
        assert wheel[target] == (REPOSITORY / "completions" / name).read_bytes()


def test_the_source_archive_holds_what_the_wheel_is_made_of(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    needed = {
        path.relative_to(REPOSITORY).as_posix()
        for directory in ("man", "completions")
        for path in (REPOSITORY / directory).rglob("*")
        if path.is_file()
    }
    assert needed <= held
