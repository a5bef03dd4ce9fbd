"""Auctions between parties who do not trust one another, or the auctioneer."""

__version__ = "0.1.0"
