"""Several runs behind one interface."""
