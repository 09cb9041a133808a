"""The REST API under ``/api/v1``: questions about the history, and what may be changed from afar."""
