"""Tests of contracts of functions."""
