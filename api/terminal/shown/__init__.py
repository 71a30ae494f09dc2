"""What commands print: tables and sentences read off typed results."""
