from django.urls import path

from supervision import views

app_name = "supervision"
urlpatterns = [
    path("cases/", views.CaseList.as_view(), name="case-list"),
    path("cases/<int:pk>/", views.case_detail, name="case-detail"),
]
