"""The made-up organisation behind the double: what happened in it, rare things included."""
