"""The portal's addresses, and the page that the home is compared with."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from pilot_portal.urls import urlpatterns as portal


def ok(request: HttpRequest) -> HttpResponse:
    """Behind the same middleware and sign-in as every page, and nothing else."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [path("benchmark/ok/", ok), *portal]
