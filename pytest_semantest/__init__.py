"""Semantest's pytest plugin: records every test as it happens. Imports nothing."""

__version__ = "0.1.0"
