"""SQLite: schema and migrations, the one writer, read-only queries, replay."""
