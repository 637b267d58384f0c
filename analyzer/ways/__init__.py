"""Run a function for one page in two states, and compare what happens to it."""
