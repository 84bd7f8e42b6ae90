"""Tests of the pure core, and of each adapter over a loopback socket; in seconds."""
