from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "公共机制"

    def ready(self) -> None:
        from django.utils.module_loading import autodiscover_modules

        from core import nav

        # The labels of actions stand beside the services; a page may show an event whose service it never calls.
        autodiscover_modules("services")

        nav.register("待办", "首页", "home", may=lambda user: True)
        nav.register("管理", "通知渠道", "core:channels", may=lambda user: user.may_keep_channels, rank=8)
        nav.register("管理", "操作记录", "core:audit", may=lambda user: user.may_search_audit, rank=9)
