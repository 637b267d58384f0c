"""Decide that a patch cannot change the state of any page, without interpreting anything."""
