from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "supervision"
    verbose_name = "监督"

    def ready(self) -> None:
        from accounts.services import people
        from core import nav, search
        from evaluators import panels as evaluator_panels
        from obligations import handlers
        from supervision import panels, permissions
        from supervision.models.feedback import given
        from supervision.search import cases
        from supervision.services import feedback

        nav.register("监督", "案件", "supervision:case-list", may=permissions.may_see_cases)
        nav.register("待办", "案件后续事项", "supervision:follow-up-list", may=permissions.may_handle, rank=6)
        nav.register(
            "监督", "对评价组织的反馈", "supervision:feedback-list", may=permissions.may_see_feedback
        )
        nav.register(
            "监督", "反馈数量", "supervision:feedback-counts", may=permissions.may_see_feedback_counts, rank=6
        )
        nav.register("监督", "了解情况", "supervision:feedback-questions", may=permissions.may_see_questions)
        nav.register("监督", "监测点", "supervision:monitoring", may=permissions.may_see_monitoring, rank=7)
        search.register("案件", cases)
        evaluator_panels.register(panels.feedback)
        people.also_pass_on(feedback.pass_on)
        handlers.register(given)
