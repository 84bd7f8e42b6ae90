"""A backtest as people and programs read it: in a terminal, as Markdown, as JSON, as a page."""
