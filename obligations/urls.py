from django.urls import path

from core.imports.views import UploadPage
from obligations import views

app_name = "obligations"
urlpatterns = [
    path("deadlines/", views.DeadlineList.as_view(), name="deadlines"),
    path("deadlines/calendar/", views.feed_page, name="feed-page"),
    path("deadlines/calendar/revoke/", views.feed_revoke, name="feed-revoke"),
    path("deadlines/calendar/download/", views.feed_download, name="feed-download"),
    path("deadlines/calendar/<str:secret>.ics", views.feed, name="feed"),
    path("policies/", views.policies, name="policies"),
    path("policies/new/", views.PolicyCreate.as_view(), name="policy-create"),
    path("policies/<int:pk>/edit/", views.PolicyUpdate.as_view(), name="policy-update"),
    path("policies/<int:pk>/remove/", views.policy_remove, name="policy-remove"),
    path("calendar/", views.calendar_year, name="calendar"),
    path("calendar/<int:year>/publish/", views.CalendarPublish.as_view(), name="calendar-publish"),
    path("calendar/day/", views.CalendarDaySet.as_view(), name="calendar-day"),
    path("suspensions/", views.SuspensionList.as_view(), name="suspensions"),
    path("suspensions/new/", views.SuspensionCreate.as_view(), name="suspension-create"),
    path("suspensions/<int:pk>/", views.suspension_detail, name="suspension-detail"),
    path("suspensions/<int:pk>/lift/", views.suspension_lift, name="suspension-lift"),
    path("outages/", views.OutageList.as_view(), name="outages"),
    path("outages/new/", views.OutageCreate.as_view(), name="outage-create"),
    path("platform/", views.PlatformLists.as_view(), name="platform-lists"),
    path("platform/import/", UploadPage.as_view(kind="obligations.platform"), name="platform-import"),
    path("platform/lists/<int:pk>/", views.platform_list, name="platform-list"),
    path("disputes/", views.DisputeList.as_view(), name="disputes"),
    path("disputes/of/<int:pk>/", views.dispute_new, name="dispute-new"),
    path("disputes/<int:pk>/", views.dispute, name="dispute"),
    path("disputes/<int:pk>/answer/", views.dispute_answer, name="dispute-answer"),
    path("disputes/<int:pk>/withdraw/", views.dispute_withdraw, name="dispute-withdraw"),
]
