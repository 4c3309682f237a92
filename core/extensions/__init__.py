"""Algorithms, task families and models of the user's own: imported, registered, and checked.

What is registered is configured, trained, saved and read like what is built in. No run folder makes
the program import code: the user names files or entry points, or registers classes.
"""
