from django.urls import path

from schools.views import agreements as views

app_name = "agreements"
urlpatterns = [
    path("agreements/", views.AgreementList.as_view(), name="list"),
    path("agreements/new/", views.new, name="new"),
    path("agreements/missing/", views.MissingList.as_view(), name="missing"),
    path("agreements/<int:pk>/", views.detail, name="detail"),
    path("agreements/<int:pk>/confirm/", views.act, {"action": "confirm"}, name="confirm"),
    path("agreements/<int:pk>/decline/", views.act, {"action": "decline"}, name="decline"),
    path("agreements/<int:pk>/files/", views.act, {"action": "add"}, name="add"),
    path("agreements/<int:pk>/end/", views.act, {"action": "end"}, name="end"),
    path("agreements/<int:pk>/void/", views.act, {"action": "void"}, name="void"),
]
