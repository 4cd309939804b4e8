from django.apps import AppConfig


class EvaluatorsConfig(AppConfig):
    name = "evaluators"
    verbose_name = "评价组织"

    def ready(self) -> None:
        from core import events
        from core.search import register
        from evaluators import permissions, search
        from funding import gates

        events.register(reference_loaded="载入参考数据")
        register("评价组织", search.evaluators)
        gates.register(permissions.why_not_before_filing)
