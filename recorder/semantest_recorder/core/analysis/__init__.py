"""Statistics and comparisons over recorded runs: pure, rows in and findings out."""
