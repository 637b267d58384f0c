"""Measure the tool on real kernel trees, against expectations written from the semantics alone."""
