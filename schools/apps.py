from django.apps import AppConfig


class SchoolsConfig(AppConfig):
    name = "schools"
    verbose_name = "试点院校"

    def ready(self) -> None:
        from core import nav, search
        from core.imports import services as imports
        from schools import permissions, platform_resources, resources, roster
        from schools.search import schools
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
            )
        )
        nav.register("备案", "试点院校", "schools:list", may=permissions.may_see_schools)
        nav.register("备案", "院校备案", "filings:list", may=permissions.may_see_filings, rank=6)
        nav.register("备案", "院校备案", "filings:edit", may=permissions.may_see_own_filing, rank=6)
        nav.register("备案", "试点项目", "schools:programme-list", may=permissions.may_see_programmes)
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
        search.register("试点院校", schools)
