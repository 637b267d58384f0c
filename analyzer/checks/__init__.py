"""Turn what differs between the trees into findings, one module a rule."""
