"""What is made of what was seen: where each column of ours comes from, and what its cells mean."""
