"""Room for the virtual-time market (DESIGN.md section 4); it shares the layer of :mod:`auctionctl.net`."""
