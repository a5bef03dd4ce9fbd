"""A record as a line of JSON is ASCII, whatever is in it, and says no secret."""

from __future__ import annotations

import json

from auctionctl.keys.encoding import SECRET_PREFIX
from auctionctl.keys.signing import SecretKey
from auctionctl.views.json_line import dump_json


def test_what_would_mislead_a_terminal_is_escaped_and_comes_back_whole() -> None:
    record = {"a": "\x1b[2J\x7f\x9b\u202e\n", "b": [1, None]}
    line = dump_json(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == record


def test_a_secret_key_is_cut_down_to_its_prefix() -> None:
    secret = SecretKey(bytes(range(32))).seed_text
    line = dump_json({"a": f"it is {secret}!"})
    assert line.isascii()
    assert json.loads(line) == {"a": f"it is {SECRET_PREFIX}1…!"}
