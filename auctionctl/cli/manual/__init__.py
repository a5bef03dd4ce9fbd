"""The manual pages: a model of a page, the pages of the commands drawn from the program itself, and those by hand.

``python -m auctionctl.cli.manual man completions`` writes them all, and the completion scripts, to two directories.
"""
