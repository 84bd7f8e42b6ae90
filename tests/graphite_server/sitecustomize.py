"""Gives graphite-web's setup.py what it misses: Python imports a module of this name as it starts (see install.py)."""

import compat  # noqa: F401
