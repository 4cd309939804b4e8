from django.urls import path

from core.imports.views import UploadPage
from evaluators.views import teachers as views

app_name = "teachers"
urlpatterns = [
    path("teachers/", views.TeacherList.as_view(), name="list"),
    path("teachers/new/", views.new, name="new"),
    path("teachers/import/", UploadPage.as_view(kind="evaluators.teachers"), name="import"),
    path("teachers/ratios/", views.RatioList.as_view(), name="ratios"),
    path("teachers/rules/new/", views.rule, name="rule"),
    path("teachers/rules/<int:pk>/remove/", views.remove_rule, name="rule-remove"),
    path("teachers/<uuid:pk>/", views.detail, name="detail"),
    path("teachers/<uuid:pk>/edit/", views.edit, name="edit"),
    path("teachers/<uuid:pk>/leave/", views.leave, name="leave"),
    path("teachers/<uuid:pk>/qualifications/new/", views.qualify, name="qualify"),
    path("teachers/qualifications/<int:pk>/", views.qualification, name="qualification"),
    path("teachers/qualifications/<int:pk>/remove/", views.remove_qualification, name="qualification-remove"),
]
