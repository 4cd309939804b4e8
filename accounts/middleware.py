"""Closed by default: who may pass, and for how long."""

from django.contrib.auth.middleware import LoginRequiredMiddleware


class IdleTimeoutMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    pass
