"""Audit a tree: every use of a migration's flags, with a verdict and a reason."""
