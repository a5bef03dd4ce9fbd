"""A TOML file is read whole or not at all, and what is wrong with it is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.client.toml_file import MAX_FILE_BYTES, read_toml
from auctionctl.errors import ConfigurationError, NotFoundError


def test_tables_are_read_as_they_stand_with_a_byte_order_mark_or_without(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for mark in ("", "\ufeff"):
        path.write_text(f'{mark}key = "ann"\n[caps]\n"gpu-*" = "1EUR"\n')
        assert read_toml(path) == {"key": "ann", "caps": {"gpu-*": "1EUR"}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"key = 'a'\nkey\n", "line 2"),
        (b"# fine\nkey = '\xff'\n", "line 2: not UTF-8"),
        (b"key = " + b"9" * 5_000, "a number in it is too long to be read"),
        (b"key = " + b"[" * 20_000, "nested too deep"),
        (b"#" * (MAX_FILE_BYTES + 1), "bytes"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_a_hint(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_toml(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_toml(tmp_path / "a.toml")
