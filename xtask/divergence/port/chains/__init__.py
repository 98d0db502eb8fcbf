"""Calls below calls, in several shapes."""
