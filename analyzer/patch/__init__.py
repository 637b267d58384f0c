"""Read patches: mail and diff text to a series, applied in memory."""
