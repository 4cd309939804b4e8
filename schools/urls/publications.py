from django.urls import path

from schools.views import objections, publications

app_name = "publications"
urlpatterns = [
    # Read by everybody, without signing in.
    path("lists/", publications.lists, name="lists"),
    path("lists/objections/", objections.follow, name="follow"),
    path("lists/<int:pk>/", publications.one_list, name="list"),
    path("lists/<int:pk>/download/", publications.download, name="download"),
    path("lists/<int:pk>/objection/", objections.objection_new, name="object"),
    path("lists/<int:pk>/objection/received/", objections.objected, name="objected"),
    # The office's.
    path("publications/", publications.manage, name="manage"),
    path("publications/rounds/<int:pk>/", publications.round_page, name="round"),
    path("publications/rounds/<int:pk>/propose/", publications.Propose.as_view(), name="propose"),
    path("publications/rounds/<int:pk>/publish/", publications.Publish.as_view(), name="publish"),
    path("publications/lists/<int:pk>/word/", publications.paper, name="paper"),
    path("publications/lists/<int:pk>/take-down/", objections.take_down, name="take-down"),
    path("publications/objections/", objections.ObjectionList.as_view(), name="objections"),
    path("publications/objections/<uuid:pk>/", objections.objection, name="objection"),
    path("publications/objections/<uuid:pk>/answer/", objections.answer, name="objection-answer"),
    path("publications/objections/<uuid:pk>/keep/", objections.keep, name="objection-keep"),
    path("publications/objections/<uuid:pk>/reveal/", objections.reveal, name="objection-reveal"),
]
