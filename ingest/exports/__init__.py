"""Files as people have them: inspected, understood by a profile, shaped into the tables of a snapshot."""
