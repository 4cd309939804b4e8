"""Where each app's pages stand."""

from django.urls import include, path

from reporting.views.home import home

urlpatterns = [
    path("", home, name="home"),
    path("", include("reporting.urls")),
    path("", include("reporting.urls_summaries")),
    path("", include("core.urls")),
    path("", include("accounts.urls")),
    path("", include("obligations.urls")),
    path("", include("certificates.urls")),
    path("", include("funding.urls")),
    path("", include("schools.urls.schools")),
    path("", include("schools.urls.rounds")),
    path("", include("schools.urls.applications")),
    path("", include("schools.urls.reviews")),
    path("", include("schools.urls.opinions")),
    path("", include("schools.urls.publications")),
    path("", include("schools.urls.agreements")),
    path("", include("schools.urls.filings")),
    path("", include("evaluators.urls.profiles")),
    path("", include("evaluators.urls.sites")),
    path("", include("evaluators.urls.filings")),
    path("", include("evaluators.urls.activities")),
    path("", include("evaluators.urls.trainers")),
    path("", include("evaluators.urls.teachers")),
    path("", include("evaluators.urls.resources")),
    path("", include("supervision.urls")),
    path("api/v1/", include("pilot_portal.api")),
]
