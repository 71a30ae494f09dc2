"""Any table of cells in a file: text of any delimiter and encoding, workbooks, Parquet, Arrow, JSON lines."""
