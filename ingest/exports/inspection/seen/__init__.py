"""What is seen of sheets: what each column looks like, what it may mean, which table it speaks for."""
