from django.urls import path

from accounts.views import organizations, people, search, signing, tokens

app_name = "accounts"
urlpatterns = [
    path("sign-in/", signing.SignInView.as_view(), name="sign-in"),
    path("sign-out/", signing.SignOutView.as_view(), name="sign-out"),
    path("password/", signing.password, name="password"),
    path("second-factor/", signing.verify, name="second-factor"),
    path("second-factor/enrol/", signing.enrol, name="enrol"),
    path("tokens/", tokens.TokenList.as_view(), name="token-list"),
    path("tokens/new/", tokens.new, name="token-new"),
    path("tokens/<uuid:pk>/revoke/", tokens.revoke, name="token-revoke"),
    path("search/", search.results, name="search"),
    path("accounts/", people.UserList.as_view(), name="user-list"),
    path("accounts/<uuid:pk>/", people.detail, name="user-detail"),
    path("accounts/<uuid:pk>/edit/", people.edit, name="user-edit"),
    path("accounts/<uuid:pk>/reveal/", people.reveal, name="user-reveal"),
    path("accounts/<uuid:pk>/deactivate/", people.deactivate, name="user-deactivate"),
    path("accounts/<uuid:pk>/reactivate/", people.reactivate, name="user-reactivate"),
    path("accounts/<uuid:pk>/reset-password/", people.reset_password, name="user-reset-password"),
    path("accounts/<uuid:pk>/unlock/", people.unlock, name="user-unlock"),
    path("accounts/<uuid:pk>/reset-second-factor/", people.reset_factor, name="user-reset-second-factor"),
    path("accounts/<uuid:pk>/hand-over/", people.hand_over, name="user-hand-over"),
    path("organizations/", organizations.OrganizationList.as_view(), name="organization-list"),
    path("organizations/<int:pk>/", organizations.detail, name="organization-detail"),
    path("organizations/<int:pk>/accounts/new/", people.new, name="user-new"),
    path("organizations/<int:pk>/edit/", organizations.edit, name="organization-edit"),
    path("organizations/<int:pk>/aliases/new/", organizations.add_alias, name="alias-new"),
    path(
        "organizations/<int:pk>/aliases/<int:alias_pk>/remove/",
        organizations.remove_alias,
        name="alias-remove",
    ),
    path("organizations/<int:pk>/join/", organizations.join, name="organization-join"),
    path("organizations/<int:pk>/leave/", organizations.leave, name="organization-leave"),
]
