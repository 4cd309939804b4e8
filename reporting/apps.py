from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "reporting"
    verbose_name = "报送"

    def ready(self) -> None:
        from core import jobs, nav
        from obligations.permissions import may_govern
        from reporting import permissions
        from reporting.circular import services as circular
        from reporting.students import latest_figures
        from supervision import students

        nav.register("报送", "我的周报", "reporting:mine", may=permissions.may_see_own_history, rank=1)
        nav.register("报送", "填报矩阵", "reporting:matrix", may=permissions.may_see_reporting, rank=2)
        nav.register("报送", "未报名单", "reporting:non-reporters", may=permissions.may_see_reporting, rank=2)
        nav.register("报送", "填报情况通报", "reporting:circular", may=permissions.may_see_reporting, rank=3)
        nav.register("报送", "填报趋势", "reporting:trends", may=permissions.may_see_reporting, rank=3)
        nav.register("报送", "与国家平台的差异", "reporting:differences", may=permissions.may_see_reporting)
        nav.register("报送", "按证书停报", "reporting:suspend-certificate", may=may_govern)
        jobs.register(circular.KIND, "周报填报情况通报", circular.run, important=True)
        students.register(latest_figures)
