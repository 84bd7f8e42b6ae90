"""The front page: whether the pager is well, and what fires."""

from __future__ import annotations

from flask import Blueprint, render_template

pages = Blueprint("front", __name__)


@pages.get("/")
def page() -> str:
    """Show it."""
    return render_template("front.html")
