from django.urls import path

from core.imports.views import UploadPage
from evaluators.views import trainers as views

app_name = "trainers"
urlpatterns = [
    path("trainers/", views.TrainerList.as_view(), name="list"),
    path("trainers/new/", views.new, name="new"),
    path("trainers/import/", UploadPage.as_view(kind="evaluators.trainers"), name="import"),
    path("trainers/<uuid:pk>/edit/", views.edit, name="edit"),
    path("trainers/<uuid:pk>/leave/", views.leave, name="leave"),
]
