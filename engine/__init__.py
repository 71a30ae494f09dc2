"""Pure calculation: tables to arrays to scores to choices to measures; knows no network, disk or clock."""
