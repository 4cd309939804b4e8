"""What every request passes through."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core import events


class RequestIdMiddleware:
    """Names the request, so that each event tells which one wrote it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = events.request_id.set(uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = events.request_id.get()
        finally:
            events.request_id.reset(token)
        return response
