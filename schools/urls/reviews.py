from django.urls import path

from schools.views import decisions, reviews

app_name = "reviews"
urlpatterns = [
    path("reviews/", reviews.Queue.as_view(), name="queue"),
    path("reviews/decide/", decisions.decide, name="decide"),
    path("reviews/items/<int:pk>/", reviews.item_detail, name="item"),
    path("reviews/applications/<int:pk>/", reviews.application_detail, name="application"),
    path("reviews/rounds/<int:pk>/decisions/", decisions.decisions, name="decisions"),
]
