from django.urls import path

from funding import views

app_name = "funding"
urlpatterns = [
    path("funds/", views.AllocationList.as_view(), name="allocations"),
    path("funds/new/", views.allocate, name="allocate"),
    path("funds/<int:pk>/arrival/", views.arrival, name="arrival"),
]
