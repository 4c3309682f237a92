"""What dialogs ask."""
