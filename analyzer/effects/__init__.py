"""Tell what functions do to pages, and what is known at a line."""
