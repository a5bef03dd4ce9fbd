"""What people see: pure state becomes a Rich renderable or a page, one a file; nothing in here reads or writes.

:mod:`peer_text` makes the words of others safe to show; :mod:`auction_row` turns a replayed auction into plain values;
:mod:`board` and :mod:`results` draw them. :mod:`report_page` is a page for browsers, made of :mod:`markup`, with
:mod:`price_path` in it. Source: DESIGN.md section 4.
"""
