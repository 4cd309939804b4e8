from django.urls import path

from reporting.views import circular, excuses, office, platform, reports, trends, weekly

app_name = "reporting"
urlpatterns = [
    path("reports/", reports.History.as_view(), name="mine"),
    path("reports/<int:pk>/", reports.report, name="report"),
    path("reports/<int:pk>/edit/", weekly.edit, name="edit"),
    path("reports/<int:pk>/draft/", weekly.draft, name="draft"),
    path("reports/<int:pk>/check/", weekly.check, name="check"),
    path("reports/<int:pk>/return/", reports.return_report, name="return"),
    path("reports/of/<int:pk>/", reports.History.as_view(), name="history"),
    path("receipts/<str:receipt>/", weekly.receipt, name="receipt"),
    path("matrix/", office.matrix, name="matrix"),
    path("circular/", circular.circular, name="circular"),
    path("trends/", trends.trends, name="trends"),
    path("non-reporters/", office.non_reporters, name="non-reporters"),
    path("non-reporters/remind/", office.remind, name="remind"),
    path("non-reporters/excuse/", excuses.excuse_selected, name="excuse-selected"),
    path("reports/<int:pk>/platform.xlsx", platform.platform_file_of, name="platform-file"),
    path("platform/differences/", platform.Differences.as_view(), name="differences"),
    path("reports/<int:pk>/excuse/", excuses.excuse, name="excuse"),
    path("reports/<int:pk>/excuse/withdraw/", excuses.withdraw_excuse, name="withdraw-excuse"),
    path("suspensions/certificate/", excuses.suspend_certificate, name="suspend-certificate"),
]
