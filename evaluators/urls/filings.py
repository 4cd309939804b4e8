from django.urls import path

from evaluators.views import filing_reviews as reviews
from evaluators.views import filings as views

app_name = "evaluator-filings"
urlpatterns = [
    path("evaluator-filings/", reviews.FilingList.as_view(), name="list"),
    path("evaluator-filings/<int:pk>/", reviews.detail, name="detail"),
    path("evaluator-filings/<int:pk>/edit/", views.edit, name="edit"),
    path("evaluator-filings/<int:pk>/draft/", views.draft, name="draft"),
    path("evaluator-filings/<int:pk>/staff-template/", views.staff_template, name="staff-template"),
    path("evaluator-filings/<int:pk>/check/", views.check, name="check"),
    path(
        "evaluator-filings/<int:pk>/accept/",
        reviews.review,
        {"action": "evaluator_filing_accept"},
        name="accept",
    ),
    path(
        "evaluator-filings/<int:pk>/return/",
        reviews.review,
        {"action": "evaluator_filing_return"},
        name="return",
    ),
    path(
        "evaluator-filings/<int:pk>/refuse/",
        reviews.review,
        {"action": "evaluator_filing_refuse"},
        name="refuse",
    ),
    path("evaluator-filings/receipts/<str:receipt>/", views.receipt, name="receipt"),
    path("evaluator-filings/versions/<str:receipt>/", views.version, name="version"),
    path("evaluator-filings/versions/<str:receipt>/reveal/", views.reveal, name="reveal"),
    path("evaluator-filings/versions/<str:receipt>/scan/", views.scan, name="scan"),
]
