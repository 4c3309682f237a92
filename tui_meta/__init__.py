"""The user interfaces of the laboratory: command line, dashboard and headless output."""
