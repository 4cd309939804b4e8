from django.urls import path

from schools.views import filing_reviews as reviews
from schools.views import filings as views

app_name = "filings"
urlpatterns = [
    path("filings/", reviews.FilingList.as_view(), name="list"),
    path("filings/mine/", views.edit, name="edit"),
    path("filings/mine/draft/", views.draft, name="draft"),
    path("filings/mine/check/", views.check, name="check"),
    path("filings/<int:pk>/", reviews.detail, name="detail"),
    path("filings/<int:pk>/accept/", reviews.review, {"action": "filing_accept"}, name="accept"),
    path("filings/<int:pk>/return/", reviews.review, {"action": "filing_return"}, name="return"),
    path("filings/receipts/<str:receipt>/", views.receipt, name="receipt"),
    path("filings/versions/<str:receipt>/", views.version, name="version"),
    path("filings/versions/<str:receipt>/scan/", views.scan, name="scan"),
]
