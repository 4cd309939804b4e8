from django.urls import path

from core import views
from core.channels import views as channels
from core.imports import urls as imports

app_name = "core"
urlpatterns = [
    path("notices/", views.NoticeList.as_view(), name="notices"),
    path("notices/read/", views.read_all_notices, name="notices-read"),
    path("notices/<int:pk>/", views.open_notice, name="notice-open"),
    path("channels/", channels.ChannelPage.as_view(), name="channels"),
    path("channels/robot/", channels.robot, name="channel-robot"),
    path("channels/robot/test/", channels.try_robot, name="channel-test-robot"),
    path("channels/mail/test/", channels.try_mail, name="channel-test-mail"),
    path("channels/retry/", channels.retry, name="channel-retry-all"),
    path("channels/<int:pk>/retry/", channels.retry, name="channel-retry"),
    path("audit/", views.AuditList.as_view(), name="audit"),
    path("files/<uuid:pk>/", views.attachment, name="attachment"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_topic, name="help-topic"),
    path("healthz", views.healthz, name="healthz"),
    *imports.urlpatterns,
]
