"""Closed by default: who may pass, and for how long."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect

from accounts import second_factor, typed
from core import clock

_LAST_ACTIVE = "last_active"
_REWRITE_SECONDS = 60


class IdleTimeoutMiddleware:
    """Signs out a session that was left alone for IDLE_TIMEOUT_MINUTES of real time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(clock.real_now().timestamp())
            last = request.session.get(_LAST_ACTIVE, now)
            if now - last >= settings.IDLE_TIMEOUT_MINUTES * 60:
                owner_id = request.user.pk
                logout(request)
                request.timed_out_owner = owner_id  # type: ignore[attr-defined]
            elif _LAST_ACTIVE not in request.session or now - last >= _REWRITE_SECONDS:
                # Once a minute is enough, and keeps reading a page free of writes.
                request.session[_LAST_ACTIVE] = now
        return self.get_response(request)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every view asks for a signed-in user who has changed the first password and, where it is asked
    for, given the second factor, unless the view is marked `login_not_required`."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        if not request.user.is_authenticated:
            return ask_to_sign_in(request)
        step = next_step(request, view_name=request.resolver_match.view_name)
        if step is None:
            return None
        if wants_json(request):
            return JsonResponse({"signed_in": False}, status=401)
        return redirect(step)


def next_step(request: HttpRequest, *, view_name: str) -> str | None:
    """The page that stands between the user and this view."""
    user = request.user
    if second_factor.is_missing(request):
        step = "accounts:second-factor" if second_factor.is_enrolled(user) else "accounts:enrol"
        return None if view_name == step else step
    if user.must_change_password and view_name != "accounts:password":
        return "accounts:password"
    return None


def wants_json(request: HttpRequest) -> bool:
    """A script's request, which cannot follow a redirect to a page."""
    return "HX-Request" in request.headers or request.headers.get("X-Requested-With") == "fetch"


def ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and back; what was typed waits in the session."""
    if wants_json(request):
        return JsonResponse({"signed_in": False}, status=401)
    owner_id = getattr(request, "timed_out_owner", None)
    kept = typed.is_kept(request) and typed.stash(request, owner_id=owner_id)
    if kept:
        messages.warning(request, "登录已失效，您填写的内容已保留。请重新登录后继续。")
    elif owner_id:
        messages.warning(
            request, f"您超过 {settings.IDLE_TIMEOUT_MINUTES} 分钟没有操作，已自动退出。请重新登录。"
        )
    return _redirect_to_sign_in(request, kept=kept)


def _redirect_to_sign_in(request: HttpRequest, *, kept: bool) -> HttpResponse:
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    if kept:
        return redirect_to_login(request.path)
    # An address that only takes a POST leads nowhere after signing in: go back to its page.
    referer = request.headers.get("Referer", "")
    if referer and typed.is_same_origin(request):
        parts = urlsplit(referer)
        return redirect_to_login(parts._replace(scheme="", netloc="", fragment="").geturl())
    return redirect(settings.LOGIN_URL)
