"""What the Lab shows."""
