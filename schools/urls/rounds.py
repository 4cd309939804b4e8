from django.urls import path

from schools.views import rounds as views

app_name = "rounds"
urlpatterns = [
    path("rounds/", views.RoundList.as_view(), name="list"),
    path("rounds/new/", views.RoundCreate.as_view(), name="new"),
    path("rounds/<int:pk>/", views.detail, name="detail"),
    path("rounds/<int:pk>/edit/", views.RoundEdit.as_view(), name="edit"),
    path("rounds/<int:pk>/extend/", views.RoundExtend.as_view(), name="extend"),
    path("rounds/<int:pk>/progress/", views.Progress.as_view(), name="progress"),
]
