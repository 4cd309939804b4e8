from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "机构与账号"

    def ready(self) -> None:
        from accounts import permissions, search
        from core import nav
        from core.search import register

        nav.register("管理", "机构", "accounts:organization-list", may=permissions.may_see_organizations)
        nav.register("管理", "账号", "accounts:user-list", may=permissions.may_see_accounts)
        register("主管部门", search.authorities)
        register("账号", search.users)
