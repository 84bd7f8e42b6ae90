"""`python -m graphitepager` is `graphite-pager`."""

from graphitepager.cli import main

main()
