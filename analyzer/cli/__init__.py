"""Offer the tool on the command line: the only package that prints or exits."""

from analyzer.cli.main import main, run, status_of

__all__ = ["main", "run", "status_of"]
