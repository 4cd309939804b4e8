app_name = "reviews"
from typing import Any

urlpatterns: list[Any] = []
