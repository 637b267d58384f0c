"""Model pages: states, laws, populations."""
