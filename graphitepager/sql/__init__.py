"""sql-to-graphite: rows of SQL databases into Graphite, each run whole or told of."""
