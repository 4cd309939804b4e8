"""What was typed when the session had gone: kept, and given back to the same form after signing in.

    @keeps_typed
    def edit(request, pk): ...
        restored = typed.take(request)    # QueryDict | None, once

A form with a draft shows it with `kept(request)` until the draft is saved: `forget(request)`.

Works with scripts off. Kept in the session, encrypted, without files, at most 256 KB, for two hours.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme

from core import clock, crypto

MOST_BYTES = 256 * 1024
MOST_FORMS = 3
KEPT_SECONDS = 2 * 3600
_KEY = "typed"


def keeps_typed(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a form's view (its GET and POST share one address) as one whose fields outlive the session.

    For a class: `@method_decorator(keeps_typed, name="dispatch")`.
    """
    view.keeps_typed = True  # type: ignore[attr-defined]
    return view


def is_kept(request: HttpRequest) -> bool:
    """Whether the request posts to a form whose fields are to be kept, from one of our own pages.

    Another site's POST must not fill in our form.
    """
    match = request.resolver_match
    return (
        request.method == "POST"
        and match is not None
        and getattr(match.func, "keeps_typed", False)
        and is_same_origin(request)
    )


def is_same_origin(request: HttpRequest) -> bool:
    source = request.headers.get("Origin") or request.headers.get("Referer", "")
    return bool(source) and url_has_allowed_host_and_scheme(source, {request.get_host()})


def stash(request: HttpRequest, *, owner_id: object = None) -> bool:
    """Keep the posted fields for this address; False if there are too many.

    `owner_id` is whose session it was, where that is still known: nobody else is given them.
    """
    fields = request.POST.copy()
    fields.pop("csrfmiddlewaretoken", None)
    body = fields.urlencode()
    if len(body) > MOST_BYTES:
        return False
    forms = _fresh(request)
    forms.pop(request.path, None)
    forms[request.path] = {
        "at": _seconds(),
        "body": crypto.encrypt(body, row=_row(request)),
        "owner": str(owner_id) if owner_id else "",
    }
    request.session[_KEY] = dict(list(forms.items())[-MOST_FORMS:])
    return True


def take(request: HttpRequest) -> QueryDict | None:
    """The fields kept for this address and this user, once."""
    fields = kept(request)
    forget(request)
    return fields


def forget(request: HttpRequest, path: str = "") -> None:
    """The record has what was kept for `path`: this address where not said."""
    if _KEY in request.session:
        forms = _fresh(request)
        forms.pop(path or request.path, None)
        request.session[_KEY] = forms


def kept(request: HttpRequest) -> QueryDict | None:
    """The fields kept for this address and this user, until `forget`."""
    mine = _fresh(request).get(request.path)
    if mine is None or mine["owner"] not in {"", str(request.user.pk)}:
        return None
    try:
        return QueryDict(crypto.decrypt(mine["body"], row=_row(request)))
    except crypto.DecryptionFailed:
        return None


def _row(request: HttpRequest) -> str:
    return f"typed.{request.path}"


def _fresh(request: HttpRequest) -> dict[str, dict[str, Any]]:
    forms = request.session.get(_KEY, {})
    return {path: form for path, form in forms.items() if _seconds() - form["at"] < KEPT_SECONDS}


def _seconds() -> int:
    return int(clock.real_now().timestamp())
