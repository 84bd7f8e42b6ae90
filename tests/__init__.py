"""The tests: unit ones touch nothing, integration ones have the real Graphite and the real databases."""
