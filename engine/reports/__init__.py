"""What a run says: report, comparison, notes, and outcomes as a table."""
