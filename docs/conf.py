"""How Sphinx builds the documentation: `make docs`; and how it asks each link whether it is there: `make links`."""  # noqa: INP001

from graphitepager import __version__

project = "graphite-pager"
author = "The graphite-pager maintainers"
copyright = author  # noqa: A001 - Sphinx wants this name
version = release = __version__

extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True
highlight_language = "sh"  # what an indented block is

html_theme = "furo"
html_title = "graphite-pager"
html_copy_source = False
html_show_sphinx = False

# Addresses that stand for the reader's own, and those that answer nobody but a browser.
linkcheck_ignore = [
    r"https?://([\w-]+\.)*example\.(com|org)",
    r"http://(127\.0\.0\.1|localhost)",
    r"https://github\.com/your-company/",
]
linkcheck_timeout = 15
linkcheck_retries = 2
