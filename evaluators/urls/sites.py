from django.urls import path

from core.imports.views import UploadPage
from evaluators.views import coverage, site_conditions
from evaluators.views import sites as views

app_name = "sites"
urlpatterns = [
    path("sites/", views.SiteList.as_view(), name="list"),
    path("sites/public/", views.public, name="public"),
    path("sites/conditions/", site_conditions.ConditionList.as_view(), name="conditions"),
    path("sites/conditions/new/", site_conditions.publish, name="condition-new"),
    path("sites/conditions/<int:pk>/", site_conditions.condition, name="condition"),
    path("sites/import/", UploadPage.as_view(kind="evaluators.sites"), name="import"),
    path("sites/coverage/", coverage.table, name="coverage"),
    path("sites/coverage/gaps/", coverage.gaps, name="gaps"),
    path("sites/side-by-side/", coverage.pairs, name="side-by-side"),
    path("sites/side-by-side/rule/", coverage.rule, name="rule"),
    path("sites/nearest/", coverage.nearest, name="nearest"),
    path("sites/nearest/place/", coverage.place, name="place"),
    path("sites/apply/<int:certificate>/", views.apply, name="apply"),
    path("sites/<int:pk>/", views.detail, name="detail"),
    path("sites/<int:pk>/edit/", views.edit, name="edit"),
    path("sites/<int:pk>/<slug:action>/", views.act, name="act"),
]
