"""Tables of accounts, organisations and tokens."""

import django_tables2 as tables

from accounts.models import ApiToken, Organization, User
from core import clock
from core.tables import SHORT, WIDE, InstantColumn, PortalTable
from core.templatetags import portal


class UserTable(PortalTable):
    name = tables.Column(linkify=("accounts:user-detail", {"pk": tables.A("pk")}))
    role = tables.Column()
    organization = tables.Column(
        linkify=("accounts:organization-detail", {"pk": tables.A("organization_id")})
    )
    state = tables.Column("状态", accessor="is_active", order_by="is_active")
    last_login = InstantColumn(verbose_name="最近登录")

    class Meta(PortalTable.Meta):
        model = User
        fields = ["name", "username", "role", "organization", "state", "last_login"]

    def render_role(self, record: User) -> str:
        return record.role_label

    def render_state(self, value: bool) -> str:
        return "启用" if value else "停用"


class OrganizationTable(PortalTable):
    name = tables.Column(
        linkify=("accounts:organization-detail", {"pk": tables.A("pk")}), attrs=WIDE, order_by="name"
    )
    supervisor = tables.Column(order_by="supervisor__name")
    in_pilot = tables.Column("试点")

    class Meta(PortalTable.Meta):
        model = Organization
        fields = ["name", "kind", "code", "city", "supervisor", "in_pilot"]

    def render_in_pilot(self, value: bool, record: Organization) -> str:
        return portal.state("active") if value else self.value_in_pilot(value, record)

    def value_in_pilot(self, value: bool, record: Organization) -> str:
        if not record.takes_part:
            return "—"
        return "在试点" if value else "不在试点"


_TOKEN_STATES = {"active": "可用", "expired": "已到期", "revoked": "已撤销"}


class TokenTable(PortalTable):
    """One's own; whether they open anything is a matter of real time."""

    prefix = tables.Column("开头", attrs=SHORT, orderable=False)
    scopes = tables.Column(attrs=WIDE, orderable=False)
    expires_at = InstantColumn()
    last_used_at = InstantColumn()
    state = tables.Column("状态", empty_values=(), orderable=False)
    revoke = tables.TemplateColumn(
        template_name="accounts/_revoke_token.html", verbose_name="操作", orderable=False
    )

    class Meta(PortalTable.Meta):
        model = ApiToken
        fields = ["name", "prefix", "scopes", "expires_at", "last_used_at", "state", "revoke"]

    def render_prefix(self, value: str) -> str:
        return f"{value}…"

    def render_scopes(self, record: ApiToken) -> str:
        return "、".join(record.scope_labels)

    def render_state(self, record: ApiToken) -> str:
        return _TOKEN_STATES[record.state_at(clock.real_now())]
