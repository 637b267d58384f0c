"""Measure the tool on a real tree against the tools that people have."""
