"""How fast a poll is, beside the least that any program could do: `make bench`."""
