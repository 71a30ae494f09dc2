"""Tables as text: their encoding, their delimiter and quotes, their rows."""
