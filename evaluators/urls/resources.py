from django.urls import path

from evaluators.views import resources as views

app_name = "resources"
urlpatterns = [
    path("resources/", views.ResourceList.as_view(), name="list"),
    path("resources/<int:pk>/", views.detail, name="detail"),
    path("resources/<int:pk>/edit/", views.edit, name="edit"),
]
