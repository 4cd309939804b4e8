from django.urls import path

from evaluators.views import activities as views

app_name = "activities"
urlpatterns = [
    path("activities/", views.ActivityList.as_view(), name="list"),
    path("activities/calendar/", views.month, name="calendar"),
    path("activities/new/", views.new, name="new"),
    path("activities/<int:pk>/", views.detail, name="detail"),
    path("activities/<int:pk>/change/", views.rewrite, {"verb": "change"}, name="change"),
    path("activities/<int:pk>/complete/", views.rewrite, {"verb": "complete"}, name="complete"),
    path("activities/<int:pk>/return/", views.comment, {"verb": "return"}, name="return"),
    path("activities/<int:pk>/cancel/", views.comment, {"verb": "cancel"}, name="cancel"),
    path("activities/<int:pk>/sign-up/", views.sign_up, name="sign-up"),
    path("activities/<int:pk>/results/", views.results, name="results"),
    path("activities/sign-ups/<int:pk>/cancel/", views.cancel_sign_up, name="sign-up-cancel"),
]
