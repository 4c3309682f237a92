"""A driver for Textual that sends only what the terminal does not show yet.

It is a part of its own: it knows Textual, and nothing of the program that uses it.
"""
