"""One aggregate of a run, and its renderings."""
