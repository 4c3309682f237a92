"""The screens: a package for each, and above them what several share."""
