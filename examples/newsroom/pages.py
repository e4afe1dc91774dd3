"""What readers read: the front page, articles, sections, their own page, and what scripts fetch."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from math import cos, hypot, radians
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from .articles import CONTENT, SECTIONS, Article, page
from .careless import DAY
from .consent import consent_of
from .typography import day

# Kilometres between two degrees of latitude.
DEGREE = 111.2


@dataclass(frozen=True)
class Place:
    """A commune of the valley, in degrees."""

    name: str
    latitude: float
    longitude: float


PLACES = {
    place.name: place
    for place in (
        Place("Valserac", 46.082, 5.214),
        Place("Montsorlin", 46.131, 5.127),
        Place("Les Granges-Hautes", 46.184, 5.063),
        Place("Dornes-le-Pont", 46.021, 5.336),
        Place("Fontclaire", 46.058, 5.118),
        Place("Chantevigne", 45.994, 5.271),
        Place("Brissac-les-Bois", 45.968, 5.341),
    )
}


def render(request: Request, name: str, status: int = 200, lang: str = "fr", **context: Any) -> Response:
    """A page of the site, with what every page needs."""
    state = request.app.state
    context |= {
        "lang": lang,
        "consent": consent_of(request),
        "reader": state.store.session_name(request.cookies.get("session")),
        "sections": SECTIONS[lang],
        "today": state.today,
    }
    answer: Response = state.templates.TemplateResponse(request, name, context, status_code=status)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def articles_of(request: Request, lang: str = "fr") -> list[Article]:
    """The articles in a language, newest first."""
    return [article for article in request.app.state.articles.values() if article.lang == lang]


async def front(request: Request) -> Response:
    """The front page."""
    articles = articles_of(request)
    lead = request.app.state.articles["eau-du-robinet"]
    opinions = [a for a in articles if a.section == "opinions"]
    others = [a for a in articles if a is not lead and a not in opinions]
    answer = render(
        request,
        "front.html",
        lead=lead,
        opinions=opinions,
        others=others,
        briefs=request.app.state.briefs,
        suggested=suggestions(request)[:3],
        places=PLACES,
    )
    third = request.app.state.third
    answer.headers["Link"] = f"<{third('mesure')}/tag.js>; rel=preload; as=script"
    return answer


async def english_front(request: Request) -> Response:
    """The Courier in English."""
    answer = render(request, "english.html", lang="en", articles=articles_of(request, "en"))
    answer.set_cookie("lang", "en", max_age=180 * DAY, path="/", samesite="lax")
    return answer


async def section(request: Request) -> Response:
    """A section's articles."""
    name = request.path_params["name"]
    if name not in SECTIONS["fr"]:
        raise HTTPException(404)
    listed = [article for article in articles_of(request) if article.section == name]
    return render(request, "section.html", section=name, title=SECTIONS["fr"][name], articles=listed)


async def article(request: Request) -> Response:
    """An article with its comments, or 304 where the reader's copy is still that."""
    state = request.app.state
    found = state.articles.get(request.path_params["slug"])
    if found is None or found.path != request.url.path:
        raise HTTPException(404)
    consent = consent_of(request)
    reader = request.cookies.get("reader_id")
    if consent.allows("profiles"):
        reader = reader or secrets.token_urlsafe(12)
        state.store.record_reading(reader, found.slug)
    token = request.cookies.get("csrftoken") or secrets.token_urlsafe(18)
    etag, modified = validators(request, found, token)
    if unchanged(request, etag, modified):
        answer = Response(status_code=304)
    else:
        answer = render(
            request,
            "article.html",
            lang=found.lang,
            article=found,
            related=related(request, found),
            comments=state.store.comments(found.slug),
            csrf=token,
        )
    answer.headers["ETag"] = etag
    answer.headers["Last-Modified"] = format_datetime(modified, usegmt=True)
    answer.headers["Vary"] = "Cookie"
    if "csrftoken" not in request.cookies:
        answer.set_cookie("csrftoken", token, path="/", httponly=True, samesite="lax")
    if consent.allows("profiles"):
        life = 180 * DAY
        answer.set_cookie("reader_id", str(reader), max_age=life, path="/", httponly=True, samesite="lax")
    return answer


def validators(request: Request, of: Article, token: str) -> tuple[str, datetime]:
    """An article's entity tag and date: of its text, of its comments, and of who reads it."""
    count, last = request.app.state.store.last_comment(of.slug)
    version = f"{of.slug}.{of.words}.{count}.{token}.{request.cookies.get('session', '')}"
    etag = f'"{hashlib.blake2b(version.encode(), digest_size=9).hexdigest()}"'
    return etag, max(of.published, last or of.published)


def unchanged(request: Request, etag: str, modified: datetime) -> bool:
    """Say whether the browser's copy is still good: RFC 9110 sections 13.1.2 and 13.1.3, in that order."""
    if (tags := request.headers.get("if-none-match")) is not None:
        return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))
    try:
        return modified <= parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (TypeError, ValueError):
        return False


def related(request: Request, to: Article) -> list[Article]:
    """What « Lire aussi » offers: the editor's choice, then the nearest by section and tags."""
    articles = request.app.state.articles
    chosen = [articles[slug] for slug in to.related if slug in articles]
    others = [a for a in articles_of(request, to.lang) if a is not to and a not in chosen]
    others.sort(key=lambda a: (a.section != to.section, -len(a.tags & to.tags)))
    return (chosen + others)[:3]


def suggestions(request: Request) -> list[Article]:
    """Unread articles, those that look most like what this reader has read first; none without a history."""
    reader = request.cookies.get("reader_id")
    if not reader or not consent_of(request).allows("profiles"):
        return []
    articles = request.app.state.articles
    read = {slug: times for slug, times in request.app.state.store.history(reader) if slug in articles}
    if not read:
        return []

    def likeness(one: Article, other: Article) -> int:
        return 2 * (one.section == other.section) + len(one.tags & other.tags)

    def liking(candidate: Article) -> int:
        return sum(times * likeness(articles[slug], candidate) for slug, times in read.items())

    unread = [candidate for candidate in articles_of(request) if candidate.slug not in read]
    return sorted(unread, key=liking, reverse=True)


async def for_you(request: Request) -> Response:
    """What the site knows of a reader's reading, and what it suggests from it."""
    history: list[tuple[Article, int]] = []
    reader = request.cookies.get("reader_id")
    if reader and consent_of(request).allows("profiles"):
        articles = request.app.state.articles
        kept = request.app.state.store.history(reader)
        history = [(articles[slug], times) for slug, times in kept if slug in articles]
    return render(request, "for_you.html", history=history, suggested=suggestions(request)[:6])


async def nearby(request: Request) -> Response:
    """News by distance: a fragment for a position (`lat`, `lon`), a page for a commune chosen by name."""
    query = request.query_params
    try:
        here = Place("", float(query["lat"]), float(query["lon"]))
    except (KeyError, ValueError):
        chosen = PLACES.get(query.get("commune", ""))
        found = news_near(request, chosen) if chosen else []
        return render(request, "nearby.html", places=PLACES, chosen=chosen, found=found)
    commune = min(PLACES.values(), key=lambda place: distance(here, place))
    context = {"commune": commune, "found": news_near(request, here)}
    answer: Response = request.app.state.templates.TemplateResponse(request, "nearby_fragment.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def distance(one: Place, other: Place) -> float:
    """Kilometres between two places of one valley: flat enough."""
    east = (one.longitude - other.longitude) * cos(radians(one.latitude))
    return DEGREE * hypot(one.latitude - other.latitude, east)


def news_near(request: Request, here: Place) -> list[tuple[Article, float]]:
    """The four articles nearest to a place, with their distance in kilometres."""
    placed = [a for a in articles_of(request) if a.place in PLACES]
    ranked = sorted(((a, distance(here, PLACES[a.place])) for a in placed), key=lambda pair: pair[1])
    return ranked[:4]


async def plain_page(request: Request) -> Response:
    """A page that is not an article: legal notice, privacy."""
    title, text = page(request.url.path.strip("/"))
    return render(request, "plain.html", title=title, text=text)


async def briefs_fragment(request: Request) -> Response:
    """The short news, as the script of the front page fetches them."""
    answer: Response = request.app.state.templates.TemplateResponse(
        request, "briefs_fragment.html", {"briefs": request.app.state.briefs}
    )
    return answer


async def api(request: Request) -> Response:
    """The articles as JSON, for the neighbouring papers that quote us."""
    fields = [
        {"titre": a.title, "rubrique": a.section, "date": f"{a.published:%Y-%m-%d}", "lien": a.path}
        for a in articles_of(request)
    ]
    return JSONResponse({"articles": fields})


async def water_file(request: Request) -> Response:
    """The survey behind the investigation, as a file."""
    return FileResponse(CONTENT / "eau.csv", media_type="text/csv; charset=utf-8", filename="eau-du-val.csv")


async def live(socket: WebSocket) -> None:
    """Headlines, one every five seconds, for as long as the page is open."""
    await socket.accept()
    headlines = [brief["text"] for brief in socket.app.state.briefs]
    try:
        for at in range(10_000):
            await socket.send_json({"text": headlines[at % len(headlines)]})
            await asyncio.sleep(5)
    except WebSocketDisconnect:
        return


async def not_found(request: Request, problem: Exception) -> Response:
    """The page for an address that leads nowhere."""
    return render(request, "plain.html", 404, title="Cette page n’existe pas", text=None)


def edition(articles: dict[str, Article]) -> str:
    """The date on the front page: that of the newest article."""
    return day(max(a.published for a in articles.values()), weekday=True)
