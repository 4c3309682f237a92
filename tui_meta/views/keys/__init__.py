"""Keys: their table, keymap, footer, help and palette."""
