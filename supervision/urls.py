from django.urls import path

from supervision.views import acts, cases, feedback, monitoring, statements

app_name = "supervision"
urlpatterns = [
    path("cases/", cases.CaseList.as_view(), name="case-list"),
    path("cases/new/", acts.OpenCase.as_view(), name="case-open"),
    path("cases/follow-ups/", cases.FollowUpList.as_view(), name="follow-up-list"),
    path("cases/follow-ups/<int:pk>/done/", acts.finish_follow_up, name="follow-up-done"),
    path("cases/documents/<int:pk>/scan/", acts.scan, name="document-scan"),
    path("cases/statements/<str:receipt>/", statements.receipt, name="statement-receipt"),
    path("cases/<int:pk>/", cases.case_detail, name="case-detail"),
    path("cases/<int:pk>/record/", cases.case_record, name="case-record"),
    path("cases/<int:pk>/record.json", cases.case_record_json, name="case-record-json"),
    path("cases/<int:pk>/act/<slug:action>/", acts.act, name="act"),
    path("cases/<int:pk>/confirm-streak/", acts.confirm_streak, name="confirm-streak"),
    path("cases/<int:pk>/certify-platform/", acts.certify, name="certify-platform"),
    path("cases/<int:pk>/files/", acts.add_files, name="case-files"),
    path("cases/<int:pk>/students/", acts.case_students, name="case-students"),
    path("cases/<int:pk>/statement/", statements.statement, name="statement"),
    path("cases/<int:pk>/statement/check/", statements.check, name="statement-check"),
    path(
        "cases/<int:pk>/statement/files/<uuid:file_pk>/discard/",
        statements.discard_file,
        name="statement-file-discard",
    ),
    path("feedback/", feedback.FeedbackList.as_view(), name="feedback-list"),
    path("feedback/new/", feedback.feedback_new, name="feedback-new"),
    path("feedback/counts/", feedback.counts, name="feedback-counts"),
    path("feedback/questions/", feedback.QuestionList.as_view(), name="feedback-questions"),
    path("feedback/questions/<uuid:pk>/", feedback.feedback_question, name="feedback-question"),
    path("feedback/<uuid:pk>/", feedback.feedback, name="feedback"),
    path("feedback/<uuid:pk>/<slug:action>/", feedback.feedback_act, name="feedback-act"),
    path("monitoring/", monitoring.TurnList.as_view(), name="monitoring"),
    path("monitoring/new/", monitoring.choose, name="monitoring-choose"),
    path("monitoring/new/<int:certificate>/", monitoring.NewTurn.as_view(), name="monitoring-new"),
    path("monitoring/<int:pk>/", monitoring.turn, name="monitoring-turn"),
]
