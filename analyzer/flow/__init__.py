"""Interpret functions abstractly over page states."""
