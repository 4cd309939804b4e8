from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "supervision"
    verbose_name = "监督"

    def ready(self) -> None:
        from core import nav, search
        from supervision import permissions
        from supervision.search import cases

        nav.register("监督", "案件", "supervision:case-list", may=permissions.may_see_cases)
        nav.register("待办", "案件后续事项", "supervision:follow-up-list", may=permissions.may_handle, rank=6)
        search.register("案件", cases)
