from django.urls import path

from evaluators.views import charges
from evaluators.views import profiles as views

app_name = "evaluators"
urlpatterns = [
    path("evaluators/", charges.EvaluatorList.as_view(), name="list"),
    path("evaluators/<int:pk>/", views.detail, name="detail"),
    path("evaluators/<int:pk>/charges/", charges.give, name="charge"),
    path("evaluators/<int:pk>/charges/<int:charge>/end/", charges.end, name="charge-end"),
]
