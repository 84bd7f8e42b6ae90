"""Tests against the real Graphite, the real databases and real processes."""
