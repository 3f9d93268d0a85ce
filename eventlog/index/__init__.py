"""Index of ids: where the log says something of a transaction id, 16 bytes a record.

It tells places alone. What is known of an id is read from the log itself, at these places, when it
is asked for: so nothing that an index holds can decide anything.
"""
