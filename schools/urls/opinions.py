from django.urls import path

from schools.views import opinions as views

app_name = "opinions"
urlpatterns = [
    path("opinions/", views.OpinionList.as_view(), name="list"),
    path("opinions/ask/", views.AskPage.as_view(), name="ask"),
    path("opinions/interests/", views.InterestList.as_view(), name="interests"),
    path("opinions/interests/new/", views.new_interest, name="interest-new"),
    path("opinions/interests/<int:pk>/remove/", views.remove_interest, name="interest-remove"),
    path("opinions/<int:pk>/", views.detail, name="detail"),
    path("opinions/<int:pk>/decline/", views.decline, name="decline"),
    path("opinions/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
]
