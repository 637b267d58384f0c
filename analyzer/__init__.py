"""Find the code that still assumes the page states a kernel patch has changed."""

__version__ = "0.1.0"
