from django.urls import path

from reporting.views import summaries, summary_lists

app_name = "summaries"
urlpatterns = [
    path("summaries/", summary_lists.SummaryList.as_view(), name="list"),
    path("summaries/sums/", summary_lists.sums, name="sums"),
    path("summaries/ministry/", summary_lists.ministry, name="ministry"),
    path("summaries/<int:pk>/", summaries.detail, name="detail"),
    path("summaries/<int:pk>/edit/", summaries.edit, name="edit"),
    path("summaries/<int:pk>/draft/", summaries.draft, name="draft"),
    path("summaries/<int:pk>/check/", summaries.check, name="check"),
    path("summaries/<int:pk>/return/", summaries.return_summary, name="return"),
    path("summaries/receipts/<str:receipt>/", summaries.receipt, name="receipt"),
]
