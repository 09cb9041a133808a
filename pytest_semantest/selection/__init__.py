"""Which tests of a session run, and in which order: by what earlier runs tell of them."""
