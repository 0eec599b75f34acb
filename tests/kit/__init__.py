"""What the scripts below `tests/` share: processes, the service, the stand-in Hub, cache checks.

Python 3.11 and its standard library only. Nothing here knows how hfdepot works inside; it sees
what any user sees: the command line, the HTTP API and the files on disk.
"""
