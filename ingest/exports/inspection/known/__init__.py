"""What columns are called and what cells say, in several languages and products: data, read once."""
