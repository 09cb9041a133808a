"""The contract that the plugin, the shipper and the recorder read: stdlib only, no I/O beyond path look-ups."""
