"""What people see: pure state becomes a Rich renderable, one a file; nothing in here reads or writes (DESIGN.md 4).

:mod:`peer_text` makes the words of others safe to show; :mod:`auction_row` turns a replayed auction into plain values;
:mod:`board` and :mod:`results` draw them.
"""
