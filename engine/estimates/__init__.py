"""What history does not say: staffing, handling, patience, and streams of draws."""
