"""What readers send: a name to log in with, comments."""

from __future__ import annotations

import secrets

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .careless import DAY
from .consent import gated
from .pages import render

LONGEST_NAME = 40
LONGEST_COMMENT = 2000


async def log_in(request: Request) -> Response:
    """A page that asks for a name, and the session that comes of it."""
    back = path_on_this_site(request.query_params.get("retour", "/"))
    token = request.cookies.get("csrftoken") or secrets.token_urlsafe(18)
    if request.method == "POST":
        form = await checked_form(request)
        name = form.get("name", "").strip()[:LONGEST_NAME]
        if name:
            answer: Response = RedirectResponse(path_on_this_site(form.get("retour", "/")), 303)
            session = request.app.state.store.open_session(name)
            answer.set_cookie("session", session, max_age=30 * DAY, path="/", httponly=True, samesite="lax")
            return answer
    answer = render(request, "log_in.html", csrf=token, back=back)
    answer.set_cookie("csrftoken", token, path="/", httponly=True, samesite="lax")
    return answer


async def log_out(request: Request) -> Response:
    """The end of a session."""
    await checked_form(request)
    request.app.state.store.close_session(request.cookies.get("session", ""))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie("session", path="/", httponly=True, samesite="lax")
    return answer


@gated("comments")
async def comment(request: Request) -> Response:
    """Keeps a comment and leads back to it."""
    article = request.app.state.articles.get(request.path_params["slug"])
    if article is None:
        raise HTTPException(404)
    form = await checked_form(request)
    store = request.app.state.store
    author = store.session_name(request.cookies.get("session")) or form.get("author", "").strip()
    body = form.get("body", "").strip()
    if not author or not body:
        raise HTTPException(400, "Un nom et un texte, s’il vous plaît.")
    store.add_comment(article.slug, author[:LONGEST_NAME], body[:LONGEST_COMMENT])
    return RedirectResponse(f"{article.path}#commentaires", 303)


async def checked_form(request: Request) -> dict[str, str]:
    """The form's fields, once its token is that of the cookie; answers 403 otherwise."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    cookie = request.cookies.get("csrftoken", "")
    if not cookie or not secrets.compare_digest(cookie.encode(), form.get("csrftoken", "").encode()):
        raise HTTPException(403, "Le formulaire a expiré : rechargez la page et recommencez.")
    return form


def path_on_this_site(path: str) -> str:
    """The path if it leads nowhere else, `/` otherwise."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
