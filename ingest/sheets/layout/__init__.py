"""Where in a grid of cells a table stands: its header, its rows, and what is beside and below them."""
