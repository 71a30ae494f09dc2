"""What requests and answers hold, and what is said of those that fail."""
