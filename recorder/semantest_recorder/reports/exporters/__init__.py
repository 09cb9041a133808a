"""A run as a file in a format of others: one module a format, all from the one aggregate."""
