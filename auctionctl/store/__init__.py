"""The store keeps logs: opaque entries by (log name, index), durable before anything is answered.

:mod:`.log_store` is the contract; :mod:`.memory`, :mod:`.sqlite` and :mod:`.cluster_store` are back ends of it. The
store knows nothing of auctions, signatures or trees; the house is its only user, from one thread. Source: DESIGN.md
sections 3, 9 and 10.

Entries lie in SQLite in the order of their arrival, whatever log they belong to, and not clustered by log: a commit
then touches the end of one tree, however many auctions are open. Measured on bare tables in batches of 100 rows of 380
bytes, that is 3 µs of CPU a row with 1, 16 or 10,000 logs, where a table clustered by (log, index) took 5, 9 and 15 µs
and, with 16 logs, filled the write-ahead log eight times as fast. The price is 8 bytes of memory an entry (its
position), 0.6 s per million entries at opening, and reads of 1 µs an entry. The store as a whole, which also checks
and keeps positions, takes 3.5, 4.5 and 6.5 µs a row.

In a cluster a log is one subject of a stream, and a group is one atomic batch, of a message for each log: the contract
has a group come about whole, and single messages would leave half of an announcement behind. Hence nats-server 2.12.1.
Signs of life have a stream of their own, which keeps the last of each instance: one a second would fill the other, from
which nothing is ever taken. Measured, with three servers and their client on two busy cores: 2 to 4 ms a message, 4 to
7 ms for 16 in a batch, 8 to 12 ms for 64.
"""
