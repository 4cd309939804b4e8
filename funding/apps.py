from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "funding"
    verbose_name = "经费"

    def ready(self) -> None:
        from core import nav
        from funding import permissions

        nav.register("经费", "专项资金", "funding:allocations", may=permissions.may_see_funds)
