"""What lies between a socket and the application: framing, deadlines, limits, and how it all ends."""
