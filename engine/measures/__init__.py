"""What is read off outcomes: service level, waits, fairness, sharing, occupancy, satisfaction, intervals."""
