"""Silences: which there are, a new one with what it would hold back, and the end of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound

from graphitepager import silencing
from graphitepager.durations import format_duration
from graphitepager.model import Silence
from graphitepager.silences import exactly, format_matcher, parse_matcher
from graphitepager.telemetry import log
from graphitepager.web import access, forms
from graphitepager.web.shown import now, show_at
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response as AnyResponse

    from graphitepager.model import Matcher
    from graphitepager.silencing import Preview

pages = Blueprint("silencing", __name__)

_AUTHOR_COOKIE = "graphite_pager_author"
_AUTHOR_LASTS_S = 365 * 24 * 60 * 60
_USUAL = "2h"
_MOST_MATCHERS = 20
_LONGEST = {"matchers": 20_000, "length": 40, "comment": 1000, "author": 100}
_MOST_ENDED = 20
_LARGEST_ID = 2**63 - 1
# What a text field of several lines does not give back as it was, at an end of a pattern in brackets.
_UNTYPABLE = re.compile("\\[[\0\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\\]|[\0\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What somebody has written so far."""

    matchers: str = ""
    length: str = _USUAL
    comment: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a form comes to, and what is wrong with it, by field."""

    matchers: tuple[Matcher, ...]
    length: timedelta | None
    faults: dict[str, str]


@pages.get("/silences")
def page() -> str:
    """List those that are not over, and the last of those that are."""
    at = show_at(this_site().clock())
    everything = this_site().store().silences()
    active = sorted((one for one in everything if one.ends_at > at), key=lambda one: one.ends_at)
    over = sorted((one for one in everything if one.ends_at <= at), key=lambda one: one.ends_at, reverse=True)
    told = request.args.get("told", "")
    return render_template(
        "silences.html",
        active=active,
        over=over[:_MOST_ENDED],
        told=int(told) if told.isdecimal() and len(told) < len(str(_LARGEST_ID)) else None,
    )


@pages.get("/silences/new")
def begin() -> str:
    """Show the form, filled in as the address asks, and what that would silence."""
    show_at(this_site().clock())
    form = _form(request.args)
    asked = _asked(form)
    faults = {"matchers": asked.faults["matchers"]} if form.matchers and "matchers" in asked.faults else {}
    return _shown(form, asked, faults)


@pages.post("/silences")
def add() -> AnyResponse:
    """Store it, or show what is wrong with it."""
    site = this_site()
    at = show_at(site.clock()).replace(microsecond=0)
    form = _form(request.form)
    asked = _asked(form)
    if asked.length is None or asked.faults:
        return make_response(_shown(form, asked, asked.faults), 400)
    silence = site.store().add_silence(
        matchers=asked.matchers, author=form.author, comment=form.comment, begins_at=at, ends_at=at + asked.length
    )
    log.info(
        "silence_added",
        id=silence.id,
        matchers=" ".join(map(format_matcher, silence.matchers)),
        author=form.author,
        login=access.user(),
        address=access.client(),
    )
    response = redirect(url_for("silencing.page", told=silence.id), 303)
    assert isinstance(response, Response)  # noqa: S101 - for mypy
    forms.set_cookie(response, _AUTHOR_COOKIE, form.author, _AUTHOR_LASTS_S)
    return response


@pages.post("/silences/<int:silence_id>/end")
def end(silence_id: int) -> AnyResponse:
    """End it now; what still fires is told by the next poll."""
    site = this_site()
    if silence_id > _LARGEST_ID:
        _no_such()
    ended = site.store().end_silence(silence_id, site.clock())
    if ended is None and not any(one.id == silence_id for one in site.store().silences()):
        _no_such()
    if ended is not None:
        log.info("silence_ended", id=silence_id, login=access.user(), address=access.client())
    return redirect(url_for("silencing.page", told=silence_id), 303)


def _no_such() -> NoReturn:
    raise NotFound("There is no such silence.")


def _form(given: MultiDict[str, str]) -> _Form:
    """What was sent, cut where it is absurd; a row's alert and series become matchers of exactly those."""
    texts = {name: given.get(name, "")[:longest].strip() for name, longest in _LONGEST.items()}
    named = [exactly(field, given[field][: _LONGEST["matchers"]]) for field in ("alert", "series") if given.get(field)]
    exact = [_UNTYPABLE.sub("?", matcher) for matcher in named]
    author = texts["author"] if "author" in given else access.named_user() or request.cookies.get(_AUTHOR_COOKIE, "")
    return _Form(
        matchers=texts["matchers"] or "\n".join(exact),
        length=texts["length"] or _USUAL,
        comment=" ".join(texts["comment"].split()),
        author=" ".join(author.split())[: _LONGEST["author"]],
    )


def _asked(form: _Form) -> _Asked:
    faults: dict[str, str] = {}
    matchers: tuple[Matcher, ...] = ()
    length = None
    lines = [line for line in form.matchers.splitlines() if line.strip()]
    try:
        matchers = tuple(map(parse_matcher, lines[: _MOST_MATCHERS + 1]))
        if not matchers:
            faults["matchers"] = "Say what to silence, such as alert=MongoDB*"
        elif len(matchers) > _MOST_MATCHERS:
            faults["matchers"] = f"At most {_MOST_MATCHERS} lines"
    except ValueError as error:
        faults["matchers"] = str(error)
    try:
        length = silencing.parse_length(form.length)
    except ValueError as error:
        faults["length"] = str(error)
    if not form.comment:
        faults["comment"] = "Say why: others will want to know"
    if not form.author:
        faults["author"] = "Say who you are"
    return _Asked(matchers=matchers, length=length, faults=faults)


def _shown(form: _Form, asked: _Asked, faults: dict[str, str]) -> str:
    preview = None
    if asked.matchers and "matchers" not in asked.faults:
        preview = _preview(asked, now())
    return render_template(
        "silence.html",
        form=form,
        faults=faults,
        preview=preview,
        length=asked.length and format_duration(asked.length),
        ends_at=asked.length and now() + asked.length,
    )


def _preview(asked: _Asked, at: datetime) -> Preview:
    """By the code that holds back pages."""
    ends_at = at + (asked.length or timedelta(hours=1))
    silence = Silence(id=0, matchers=asked.matchers, author="", comment="", begins_at=at, ends_at=ends_at)
    return silencing.preview(silence, this_site().store().load())
