"""How files become tables, as data that people read, edit and keep."""
