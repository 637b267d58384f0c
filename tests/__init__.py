"""Hold the tool to its word."""
