"""The recorder: takes in events, keeps them, and answers what ran, what runs and what it came to."""
