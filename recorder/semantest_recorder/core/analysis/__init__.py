"""Statistics and comparisons over many runs. Pure: what they need is handed to them."""
