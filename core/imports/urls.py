"""Joined into core's own addresses."""

from django.urls import path

from core.imports import views

urlpatterns = [
    path("imports/<str:kind>/template.xlsx", views.template, name="import-template"),
    path("jobs/<uuid:pk>/", views.job, name="job"),
    path("jobs/<uuid:pk>/apply/", views.apply, name="job-apply"),
    path("jobs/<uuid:pk>/undo/", views.undo, name="job-undo"),
    path("jobs/<uuid:pk>/errors.xlsx", views.errors, name="job-errors"),
]
