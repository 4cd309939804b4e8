from django.apps import AppConfig


class EvaluatorsConfig(AppConfig):
    name = "evaluators"
    verbose_name = "评价组织"

    def ready(self) -> None:
        from accounts import in_charge
        from accounts.services import organizations, people
        from core import events, search
        from evaluators import permissions
        from evaluators.models.profiles import organizations_of_charges
        from evaluators.search import evaluators
        from evaluators.services import charges, sites
        from funding import gates

        self._bring_imports()
        self._enter_navigation()
        events.register(reference_loaded="载入参考数据")
        search.register("评价组织", evaluators)
        in_charge.register(organizations_of_charges)
        people.also_pass_on(charges.pass_on)
        organizations.also_end(sites.end_all, named=sites.ending_words)
        gates.register(permissions.why_not_before_filing)

    def _bring_imports(self) -> None:
        from core.imports import services as imports
        from evaluators import permissions, resources, site_resources
        from evaluators.services import site_lists

        imports.register(
            imports.Importer(
                kind="evaluators.trainers",
                resource=resources.TrainerResource,
                may=permissions.may_keep_trainers,
                refusal="培训专家团队由评价组织自己导入。",
                page="trainers:import",
                options=resources.no_options,
                undo=resources.undo_trainers,
                notes=resources.TRAINER_NOTES,
                mend="在“培训专家团队”里逐人修改",
            )
        )
        imports.register(
            imports.Importer(
                kind="evaluators.teachers",
                resource=resources.TeacherResource,
                may=permissions.may_keep_teachers,
                refusal="教师由本校联系人导入。",
                page="teachers:import",
                options=resources.no_options,
                undo=resources.undo_teachers,
                notes=resources.TEACHER_NOTES,
                mend="在“教师与资格”里逐人修改",
            )
        )
        imports.register(
            imports.Importer(
                kind="evaluators.sites",
                resource=site_resources.SiteResource,
                may=permissions.may_import_sites,
                refusal=site_lists.OFFICE_IMPORTS,
                page="sites:import",
                options=site_resources.options,
                undo=site_lists.undo,
                notes=site_resources.NOTES,
                mend="导入更正后的站点",
            )
        )

    def _enter_navigation(self) -> None:
        from core import nav
        from evaluators import permissions

        nav.register("备案", "评价组织", "evaluators:list", may=permissions.may_see_charges, rank=3)
        nav.register(
            "备案", "评价组织备案", "evaluator-filings:list", may=permissions.may_see_filings, rank=6
        )
        nav.register("备案", "活动备案", "activities:list", may=permissions.may_see_activities, rank=7)
        nav.register("备案", "培训专家团队", "trainers:list", may=permissions.may_see_trainers, rank=8)
        nav.register("备案", "教师与资格", "teachers:list", may=permissions.may_see_teachers, rank=8)
        nav.register("备案", "培训考核资源", "resources:list", may=permissions.may_see_resources, rank=9)
        nav.register("考核站点", "考核站点", "sites:list", may=permissions.may_see_sites, rank=1)
        nav.register("考核站点", "站点条件", "sites:conditions", may=permissions.may_see_sites, rank=2)
        nav.register("考核站点", "考点覆盖", "sites:coverage", may=permissions.may_see_coverage, rank=3)
        nav.register(
            "考核站点", "相邻且使用不足", "sites:side-by-side", may=permissions.may_see_coverage, rank=4
        )
        nav.register("考核站点", "本校就近考点", "sites:nearest", may=permissions.is_of_a_school, rank=3)
