"""What each file is taken for, why, and what cannot be settled."""
