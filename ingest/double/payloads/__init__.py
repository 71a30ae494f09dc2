"""What happened, in the platform's shapes: people, conversations, calls and the present moment."""
