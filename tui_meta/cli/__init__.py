"""The command line: commands, settings, configuration files, headless output."""
