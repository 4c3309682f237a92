"""Questions about runs, answered beside their training: adapt, battery, geometry, history."""
