from django.apps import AppConfig


class SchoolsConfig(AppConfig):
    name = "schools"
    verbose_name = "试点院校"

    def ready(self) -> None:
        from accounts.services import organizations
        from core import search
        from funding import running
        from schools import levels
        from schools.search import schools
        from schools.services import programmes

        self._bring_imports()
        self._enter_navigation()
        search.register("试点院校", schools)
        running.register(levels.running)
        running.register_concerned(levels.concerned)
        organizations.also_end(programmes.end_all, named=programmes.ending_words)

    def _bring_imports(self) -> None:
        from core.imports import services as imports
        from schools import permissions, platform_resources, resources, roster
        from schools.services import platform

        imports.register(
            imports.Importer(
                kind="schools.roster",
                resource=resources.RosterResource,
                may=permissions.may_import_roster,
                refusal="院校名册由省推进办导入。发现错误请与推进办联系。",
                page="schools:roster",
                options=resources.options,
                undo=roster.undo,
                notes=resources.NOTES,
                mend="在学校页面更正",
            )
        )
        imports.register(
            imports.Importer(
                kind="schools.platform_states",
                resource=platform_resources.PlatformStateResource,
                may=permissions.may_import_platform_states,
                refusal=platform.OFFICE_IMPORTS,
                page="schools:platform-states",
                options=platform_resources.options,
                undo=platform.undo_states,
                notes=platform_resources.NOTES,
                mend="导入更正后的审核结果",
            )
        )

    def _enter_navigation(self) -> None:
        from core import nav
        from schools import permissions

        nav.register("申报", "申报批次", "rounds:list", may=permissions.may_see_rounds, rank=1)
        nav.register(
            "申报", "我的申报", "applications:list", may=permissions.may_see_own_applications, rank=2
        )
        nav.register("备案", "试点院校", "schools:list", may=permissions.may_see_schools)
        nav.register("待办", "待我提出的意见", "opinions:list", may=permissions.is_expert)
        nav.register("待办", "我的利益关系", "opinions:interests", may=permissions.is_expert, rank=6)
        nav.register("申报", "申报审核", "reviews:queue", may=permissions.may_see_queue, rank=2)
        nav.register("申报", "专家意见", "opinions:list", may=permissions.may_read_opinions, rank=7)
        nav.register("申报", "专家利益关系", "opinions:interests", may=permissions.may_ask_experts, rank=8)
        nav.register("备案", "院校备案", "filings:list", may=permissions.may_see_filings, rank=6)
        nav.register("备案", "院校备案", "filings:edit", may=permissions.may_see_own_filing, rank=6)
        nav.register("备案", "试点项目", "schools:programme-list", may=permissions.may_see_programmes)
        nav.register("备案", "合作协议", "agreements:list", may=permissions.may_see_agreements)
        nav.register("申报", "结果公示", "publications:manage", may=permissions.may_see_objections, rank=7)
        nav.register(
            "申报",
            "与国家平台的审核差异",
            "schools:platform-differences",
            may=permissions.may_see_platform_differences,
            rank=8,
        )
        nav.register(
            "管理",
            "国家平台审核结果导入",
            "schools:platform-states",
            may=permissions.may_import_platform_states,
        )
        nav.register("管理", "院校名册导入", "schools:roster", may=permissions.may_import_roster)
