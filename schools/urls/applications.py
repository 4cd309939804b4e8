from django.urls import path

from schools.views import applications as views
from schools.views import items

app_name = "applications"
urlpatterns = [
    path("applications/", views.index, name="list"),
    path("applications/start/<int:round>/", views.start, name="start"),
    path("applications/<int:pk>/", views.detail, name="detail"),
    path("applications/<int:pk>/add/", views.add, name="add"),
    path("applications/<int:pk>/add-running/", views.add_running, name="add-running"),
    path("applications/<int:pk>/check/", views.check, name="check"),
    path("applications/<int:pk>/print/", views.paper, name="print"),
    path("applications/receipts/<str:receipt>/", views.receipt, name="receipt"),
    path("applications/versions/<str:receipt>/", views.version, name="version"),
    path("applications/majors/<int:round>/", items.majors, name="majors"),
    path("applications/items/<int:pk>/", items.item, name="item"),
    path("applications/items/<int:pk>/draft/", items.draft, name="draft"),
    path("applications/items/<int:pk>/files/", items.files, name="files"),
    path("applications/items/<int:pk>/remove/", items.remove, name="remove"),
    path("applications/items/<int:pk>/withdraw/", items.withdraw, name="withdraw"),
]
