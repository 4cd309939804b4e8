from django.urls import path

from core.imports.views import UploadPage
from schools.views import platform, programmes
from schools.views import schools as views

app_name = "schools"
urlpatterns = [
    path("schools/", views.SchoolList.as_view(), name="list"),
    path("schools/new/", views.new, name="new"),
    path("schools/roster/", UploadPage.as_view(kind="schools.roster"), name="roster"),
    path("schools/<int:pk>/", views.detail, name="detail"),
    path("schools/<int:pk>/edit/", views.edit, name="edit"),
    path("schools/<int:pk>/programmes/new/", programmes.new, name="programme-new"),
    path("programmes/", programmes.ProgrammeList.as_view(), name="programme-list"),
    path(
        "programmes/platform/",
        UploadPage.as_view(kind="schools.platform_states"),
        name="platform-states",
    ),
    path("programmes/platform/differences/", platform.DifferenceList.as_view(), name="platform-differences"),
    path("programmes/<int:pk>/", programmes.detail, name="programme"),
    path("programmes/<int:pk>/plan/", programmes.plan, name="plan"),
    path("programmes/<int:pk>/end/", programmes.end, name="programme-end"),
    path("programmes/<int:pk>/courses/", programmes.courses, name="programme-courses"),
]
