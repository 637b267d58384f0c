"""Hold the reading and applying of patches to their word."""
