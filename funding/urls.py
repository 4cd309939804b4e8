from django.urls import path

from funding.views import acts, caps, money, standards

app_name = "funding"
urlpatterns = [
    path("funds/", money.AllocationList.as_view(), name="allocations"),
    path("funds/new/", money.allocate, name="allocate"),
    path("funds/<int:pk>/arrival/", money.arrival, name="arrival"),
    path("fees/caps/", caps.CapList.as_view(), name="caps"),
    path("fees/caps/new/", caps.CapCreate.as_view(), name="cap-new"),
    path("fees/caps/<int:pk>/remove/", caps.cap_remove, name="cap-remove"),
    path("fees/rules/", caps.policies, name="fee-policies"),
    path("fees/rules/new/", caps.PolicyCreate.as_view(), name="fee-policy-new"),
    path("fees/rules/<int:pk>/remove/", caps.policy_remove, name="fee-policy-remove"),
    path("fees/gaps/", caps.Gaps.as_view(), name="fee-gaps"),
    path("fees/levels/<int:pk>/form/", caps.exam_form, name="exam-form"),
    path("fees/standards/", standards.StandardList.as_view(), name="standards"),
    path("fees/standards/new/", acts.StandardCreate.as_view(), name="standard-new"),
    path("fees/standards/<int:pk>/", standards.standard, name="standard"),
    path("fees/standards/<int:pk>/edit/", acts.StandardUpdate.as_view(), name="standard-edit"),
    path("fees/standards/<int:pk>/agree/", acts.agree, name="standard-agree"),
    path("fees/standards/<int:pk>/decline/", acts.decline, name="standard-decline"),
    path("fees/standards/<int:pk>/act/<str:action>/", acts.StandardAct.as_view(), name="standard-act"),
    path("fees/public/", standards.PublicStandards.as_view(), name="public-standards"),
]
