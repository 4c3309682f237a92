"""Charts as plain data, and those that several screens share."""
