"""Where source comes from: directories, git revisions, overlays, word search."""
