from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "reporting"
    verbose_name = "报送"

    def ready(self) -> None:
        from core import nav
        from obligations.permissions import may_govern
        from reporting import permissions

        nav.register("报送", "填报矩阵", "reporting:matrix", may=permissions.may_see_reporting, rank=2)
        nav.register("报送", "未报名单", "reporting:non-reporters", may=permissions.may_see_reporting, rank=2)
        nav.register("报送", "按证书停报", "reporting:suspend-certificate", may=may_govern)
