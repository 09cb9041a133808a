"""``semantest mcp``: what was recorded, for programs that speak the Model Context Protocol."""
