app_name = "filings"
from typing import Any

urlpatterns: list[Any] = []
