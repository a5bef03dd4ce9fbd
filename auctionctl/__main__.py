"""``python -m auctionctl``: the same as ``auctionctl``."""

from __future__ import annotations

from auctionctl.cli.app import main

if __name__ == "__main__":
    main()
