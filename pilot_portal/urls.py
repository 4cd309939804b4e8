"""Where each app's pages stand."""

from django.urls import include, path

urlpatterns = [
    path("", include("reporting.urls")),
    path("", include("core.urls")),
    path("", include("accounts.urls")),
    path("", include("obligations.urls")),
    path("", include("schools.urls")),
    path("", include("evaluators.urls")),
    path("", include("supervision.urls")),
]
