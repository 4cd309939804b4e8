from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "funding"
    verbose_name = "经费"

    def ready(self) -> None:
        from core import nav
        from funding import permissions

        see_fees = permissions.may_see_fees
        nav.register("经费", "考核成本上限", "funding:caps", may=see_fees, rank=1)
        nav.register("经费", "考核费用标准", "funding:standards", may=see_fees, rank=2)
        nav.register("经费", "专项资金", "funding:allocations", may=permissions.may_see_funds)
