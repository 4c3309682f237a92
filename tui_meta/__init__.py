"""The faces of the laboratory: command line, dashboard and headless reporter."""
