"""What a coding agent is told of a run: the lines that matter, within a budget of tokens."""
