"""What the platform knows, asked for and read into tables: people, queues, staffing, aggregates."""
