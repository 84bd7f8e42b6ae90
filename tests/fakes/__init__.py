"""Servers that stand in for those that cannot be had in a test; as strict as the real ones."""
