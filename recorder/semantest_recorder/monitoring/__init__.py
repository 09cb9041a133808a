"""What an operator sees of the recorder by ``GET /metrics``: the catalogue, what is read, how it is written."""
