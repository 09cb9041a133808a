"""The dashboard: pages drawn on the server, from what ``answers`` finds."""
