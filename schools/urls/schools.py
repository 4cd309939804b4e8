from django.urls import path

from core.imports.views import UploadPage
from schools.views import schools as views

app_name = "schools"
urlpatterns = [
    path("schools/", views.SchoolList.as_view(), name="list"),
    path("schools/new/", views.new, name="new"),
    path("schools/roster/", UploadPage.as_view(kind="schools.roster"), name="roster"),
    path("schools/<int:pk>/", views.detail, name="detail"),
    path("schools/<int:pk>/edit/", views.edit, name="edit"),
    path("schools/<int:pk>/programmes/new/", views.new_programme, name="programme-new"),
    path("programmes/<int:pk>/plan/", views.plan, name="plan"),
    path("programmes/<int:pk>/end/", views.end_programme, name="programme-end"),
]
