from django.apps import AppConfig


class ObligationsConfig(AppConfig):
    name = "obligations"
    verbose_name = "报送任务"

    def ready(self) -> None:
        from core import nav
        from obligations import permissions

        nav.register("待办", "截止事项", "obligations:deadlines", may=permissions.may_see_deadlines)
        nav.register("报送", "停报登记", "obligations:suspensions", may=permissions.may_see_deadlines)
        nav.register("管理", "报送规则", "obligations:policies", may=permissions.may_see_rules)
        nav.register("管理", "节假日安排", "obligations:calendar", may=permissions.may_see_rules)
        nav.register("管理", "平台停机", "obligations:outages", may=permissions.may_see_rules)
