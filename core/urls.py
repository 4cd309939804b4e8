from django.urls import path

from core import views
from core.imports import urls as imports

app_name = "core"
urlpatterns = [
    path("notices/", views.NoticeList.as_view(), name="notices"),
    path("notices/read/", views.read_all_notices, name="notices-read"),
    path("notices/<int:pk>/", views.open_notice, name="notice-open"),
    path("audit/", views.AuditList.as_view(), name="audit"),
    path("files/<uuid:pk>/", views.attachment, name="attachment"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_topic, name="help-topic"),
    path("healthz", views.healthz, name="healthz"),
    *imports.urlpatterns,
]
