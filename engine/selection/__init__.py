"""Who is chosen when nobody is busy."""
