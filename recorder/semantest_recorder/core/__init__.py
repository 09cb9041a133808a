"""Pure: rows and how events make them, sessions and access. No clock, no I/O: `now` is an argument."""
