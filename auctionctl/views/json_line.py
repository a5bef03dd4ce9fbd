"""A record as one line of JSON that is fit for a terminal, whatever is in it.

Rule: ASCII only, without DEL, which JSON alone would let through, and without secret keys. Source: RFC 8259.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from auctionctl.keys.encoding import redacted

Json = Mapping[str, object]


def dump_json(record: Json) -> str:
    """``record`` as one line of ASCII, without DEL, which JSON alone would let through, and without secret keys."""
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":")).replace("\x7f", "\\u007f")
    return redacted(text).replace("…", "\\u2026")
