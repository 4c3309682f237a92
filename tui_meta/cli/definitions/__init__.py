"""The command line: its application, and each command with its flags and help."""
