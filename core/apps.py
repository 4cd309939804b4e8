from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "公共机制"

    def ready(self) -> None:
        from core import nav

        nav.register("待办", "首页", "home", may=lambda user: True)
        nav.register("管理", "操作记录", "core:audit", may=lambda user: user.may_search_audit, rank=9)
