"""Hold every kind of tree to the same answers."""
