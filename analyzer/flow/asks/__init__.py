"""Read what branches ask for, and remember what was answered."""
