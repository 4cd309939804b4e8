from django.apps import AppConfig


class SchoolsConfig(AppConfig):
    name = "schools"
    verbose_name = "试点院校"

    def ready(self) -> None:
        from core import nav, search
        from core.imports import services as imports
        from schools import permissions, resources, roster
        from schools.search import schools

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
        nav.register("备案", "试点院校", "schools:list", may=permissions.may_see_schools)
        nav.register("备案", "院校备案", "filings:list", may=permissions.may_see_filings, rank=6)
        nav.register("备案", "院校备案", "filings:edit", may=permissions.may_see_own_filing, rank=6)
        nav.register("管理", "院校名册导入", "schools:roster", may=permissions.may_import_roster)
        search.register("试点院校", schools)
