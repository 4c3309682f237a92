"""The program in a pseudo-terminal, measured from outside."""
