from django.urls import path

from evaluators.views import profiles as views

app_name = "evaluators"
urlpatterns = [
    path("evaluators/<int:pk>/", views.detail, name="detail"),
]
