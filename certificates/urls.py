from django.urls import path

from certificates import views

app_name = "credit"
urlpatterns = [
    path("credit-proposals/", views.ProposalList.as_view(), name="list"),
    path("credit-proposals/published/", views.publish, name="publish"),
    path("credit-proposals/<int:pk>/", views.detail, name="detail"),
    path("credit-proposals/<int:pk>/edit/", views.edit, name="edit"),
    path("credit-proposals/<int:pk>/check/", views.check, name="check"),
    path("credit-proposals/<int:pk>/<slug:action>/", views.review, name="review"),
]
