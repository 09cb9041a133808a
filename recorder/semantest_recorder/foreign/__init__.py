"""Results of other tools, read from their files into one neutral form. Pure: bytes in, values out."""
