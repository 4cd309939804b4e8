"""Organisations: list, page, other names, membership of the pilot."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import permissions, services
from accounts.filters import OrganizationFilter
from accounts.forms import AliasForm, JoinForm, LeaveForm, OrganizationForm, refuse
from accounts.models import Organization, OrganizationAlias, User
from accounts.tables import OrganizationTable
from core import clock
from core.lists import ListPage

get_and_post = require_http_methods(["GET", "HEAD", "POST"])


class OrganizationList(ListPage):
    model = Organization
    table_class = OrganizationTable
    filterset_class = OrganizationFilter
    heading = "机构"
    subtitle = "开通账号：先找到机构，在机构页面上开通。"
    empty_text = "这里还没有机构。"
    export_name = "机构"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_organizations(request.user):
            raise PermissionDenied("机构名录供省级和市级部门使用。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Organization]:
        return super().queryset().select_related("city", "supervisor").with_pilot_state(clock.now())


def _organization(request: HttpRequest, pk: int) -> Organization:
    organizations = Organization.objects.visible_to(request.user).select_related("city", "supervisor")
    return get_object_or_404(organizations, pk=pk)


def _kept(request: HttpRequest, pk: int) -> Organization:
    organization = _organization(request, pk)
    if not permissions.may_edit_organization(request.user):
        raise PermissionDenied("机构资料由省推进办维护。发现错误请与推进办联系。")
    return organization


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    organization = _organization(request, pk)
    people = User.objects.filter(organization=organization).select_related("successor")
    user = request.user
    context = {
        "organization": organization,
        "memberships": list(organization.memberships.order_by("joined_at")),
        "in_pilot": Organization.objects.members_at(clock.now()).filter(pk=organization.pk).exists(),
        "aliases": list(organization.aliases.order_by("name")),
        "people": list(people.order_by("-is_active", "role", "created_at")),
        "may_edit": permissions.may_edit_organization(user),
        "may_make_account": permissions.may_manage_accounts(user, organization),
        "may_list": permissions.may_see_organizations(user),
    }
    return render(request, "accounts/organization_detail.html", context)


def _form_page(
    request: HttpRequest, organization: Organization, form: Form, *, heading: str, submit_label: str
) -> HttpResponse:
    context = _page_context(organization, form, heading=heading, submit_label=submit_label)
    return render(request, "core/form_page.html", context)


def _page_context(
    organization: Organization, form: Form, *, heading: str, submit_label: str
) -> dict[str, Any]:
    return {
        "heading": heading,
        "intro": organization.name,
        "form": form,
        "submit_label": submit_label,
        "cancel_url": reverse("accounts:organization-detail", args=[organization.pk]),
    }


@get_and_post
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    organization = _kept(request, pk)
    now = {"supervisor": organization.supervisor_id, "city": organization.city_id}
    form = OrganizationForm(request.POST or None, initial=now, organization=organization)
    if request.method == "POST" and form.is_valid():
        services.edit_organization(
            organization=organization, **form.cleaned_data, by=request.user, at=clock.now()
        )
        messages.success(request, "机构资料已保存。")
        return redirect("accounts:organization-detail", pk=pk)
    return _form_page(request, organization, form, heading="修改主管部门与所在市", submit_label="保存")


@get_and_post
def add_alias(request: HttpRequest, pk: int) -> HttpResponse:
    organization = _kept(request, pk)
    form = AliasForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_alias(
                organization=organization, **form.cleaned_data, by=request.user, at=clock.now()
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, "别名已登记。")
            return redirect("accounts:organization-detail", pk=pk)
    return _form_page(request, organization, form, heading="登记别名", submit_label="登记")


@require_POST
def remove_alias(request: HttpRequest, pk: int, alias_pk: int) -> HttpResponse:
    organization = _kept(request, pk)
    alias = get_object_or_404(OrganizationAlias, pk=alias_pk, organization=organization)
    services.remove_alias(alias=alias, by=request.user, at=clock.now())
    messages.success(request, f"别名“{alias.name}”已删除。")
    return redirect("accounts:organization-detail", pk=pk)


@get_and_post
def join(request: HttpRequest, pk: int) -> HttpResponse:
    organization = _kept(request, pk)
    form = JoinForm(request.POST or None, initial={"day": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            at = clock.at(form.cleaned_data["day"])
            services.join_pilot(organization=organization, at=at, by=request.user)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, "已登记加入试点。")
            return redirect("accounts:organization-detail", pk=pk)
    return _form_page(request, organization, form, heading="登记加入试点", submit_label="登记")


@get_and_post
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    organization = _kept(request, pk)
    form = LeaveForm(request.POST or None, initial={"day": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            services.end_membership(
                organization=organization,
                at=clock.at(form.cleaned_data["day"]),
                reason=form.cleaned_data["reason"],
                by=request.user,
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, "已登记退出试点。")
            return redirect("accounts:organization-detail", pk=pk)
    context = _page_context(organization, form, heading="登记退出试点", submit_label="登记")
    context["ending"] = services.ends_with(organization)
    return render(request, "accounts/leave.html", context)
