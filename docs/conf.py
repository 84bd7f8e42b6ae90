"""How Sphinx builds the documentation: `make docs`."""  # noqa: INP001

from graphitepager import __version__

project = "graphite-pager"
author = "The graphite-pager maintainers"
copyright = author  # noqa: A001 - Sphinx wants this name
version = release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "graphite-pager"
html_copy_source = False
html_show_sphinx = False
