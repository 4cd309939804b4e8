"""What the frame around each page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core import clock, nav


def frame(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    places = list(nav.for_user(user)) if signed_in else []
    return {
        "portal_name": settings.PORTAL_NAME,
        "portal_now": SimpleLazyObject(clock.now),
        "demonstration": SimpleLazyObject(clock.is_demonstration),
        "places": places,
        "place_here": nav.here(places, request.path),
        "unread_count": SimpleLazyObject(user.notices.unread().count) if signed_in else 0,
        "idle_minutes": settings.IDLE_TIMEOUT_MINUTES,
    }
