"""What people ask of the history, answered from the database: for commands, REST and pages alike."""
