"""One search over everything that the user may see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import search


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[: search.LONGEST]
    groups = search.find(request.user, text) if text else []
    return render(request, "accounts/search.html", {"text": text, "groups": groups, "most": search.MOST})
