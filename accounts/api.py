"""Organisations within the token's reach, and what all viewsets of the API do."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.filters import OrganizationFilter
from accounts.models import Organization, Scope
from core import clock
from core.api_schema import sample


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api_auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "在“我的账号 → 接口令牌”生成，以 pp_ 开头。",
        }


class VisibleViewSet(ReadOnlyModelViewSet):
    """What the token's maker may see of `queryset`'s model, in a stable order: 404 for all else."""

    scope: Scope
    scopes: dict[str, Scope] = {}
    lookup_value_converter = "id"

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user).order_by("pk")


class OrganizationSerializer(serializers.ModelSerializer):
    city_name = serializers.CharField(source="city.name", default=None, allow_null=True, read_only=True)
    in_pilot = serializers.BooleanField(read_only=True)

    class Meta:
        model = Organization
        fields = ["id", "kind", "code", "name", "city", "city_name", "supervisor", "in_pilot"]


_SAMPLE = {
    "id": 12,
    "kind": "school",
    "code": "4214000001",
    "name": "太原演示职业学校",
    "city": "140100",
    "city_name": "太原市",
    "supervisor": 2,
    "in_pilot": True,
}


@extend_schema_view(
    list=extend_schema(
        summary="机构清单",
        description="本人可见的机构：省级看全省，市教育局看所主管院校，院校与评价组织看自己。",
        examples=[sample(_SAMPLE)],
    ),
    retrieve=extend_schema(summary="一个机构", examples=[sample(_SAMPLE)]),
)
class OrganizationViewSet(VisibleViewSet):
    queryset = Organization.objects.all()
    serializer_class = OrganizationSerializer
    filterset_class = OrganizationFilter
    scope = Scope.READ_ORGANIZATIONS

    def get_queryset(self) -> Any:
        return super().get_queryset().with_pilot_state(clock.now()).select_related("city")
