from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "reporting"
    verbose_name = "报送"

    def ready(self) -> None:
        from core import jobs, nav
        from obligations.models import ObligationKind
        from obligations.periods import register_owing
        from obligations.permissions import may_govern
        from reporting import permissions
        from reporting.circular import services as circular
        from reporting.students import latest_figures
        from reporting.summaries import scope
        from supervision import students

        nav.register("报送", "我的周报", "reporting:mine", may=permissions.may_see_own_history, rank=1)
        nav.register("报送", "填报矩阵", "reporting:matrix", may=permissions.may_watch_reports, rank=2)
        nav.register("报送", "未报名单", "reporting:non-reporters", may=permissions.may_watch_reports, rank=2)
        nav.register("报送", "填报情况通报", "reporting:circular", may=permissions.may_watch_reports, rank=3)
        nav.register("报送", "填报趋势", "reporting:trends", may=permissions.may_see_reporting, rank=3)
        nav.register("报送", "月报和半年总结", "summaries:list", may=permissions.may_see_summaries, rank=2)
        nav.register("报送", "月度、半年汇总", "summaries:sums", may=permissions.may_see_summaries, rank=3)
        nav.register(
            "报送", "半年总结汇总稿", "summaries:ministry", may=permissions.may_see_ministry_report, rank=4
        )
        nav.register("报送", "与国家平台的差异", "reporting:differences", may=permissions.may_see_reporting)
        nav.register("报送", "按证书停报", "reporting:suspend-certificate", may=may_govern)
        jobs.register(circular.KIND, "填报情况通报", circular.run, important=True)
        students.register(latest_figures)
        register_owing(ObligationKind.MONTHLY_REPORT, scope.evaluators_at)
        register_owing(ObligationKind.HALF_YEAR_SUMMARY, scope.both_at)
