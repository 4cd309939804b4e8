from django.urls import path

from evaluators import views

app_name = "evaluators"
urlpatterns = [
    path("evaluators/<int:pk>/", views.detail, name="detail"),
]
