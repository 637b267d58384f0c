"""Render a result, one module a format."""
