from django.apps import AppConfig


class ObligationsConfig(AppConfig):
    name = "obligations"
    verbose_name = "报送任务"

    def ready(self) -> None:
        from core import nav
        from core.imports import services as imports
        from obligations import permissions, platform, platform_forms, resources

        imports.register(
            imports.Importer(
                kind="obligations.platform",
                resource=resources.PlatformListResource,
                may=permissions.may_import_platform_list,
                refusal="国家平台名单由省推进办导入。发现错误请与推进办联系。",
                page="obligations:platform-import",
                options=resources.options,
                undo=platform.undo,
                notes=resources.NOTES,
                form=platform_forms.PlatformListForm,
            )
        )

        nav.register("待办", "截止事项", "obligations:deadlines", may=permissions.may_see_deadlines)
        nav.register("报送", "异议", "obligations:disputes", may=permissions.may_see_disputes)
        nav.register(
            "报送", "国家平台名单", "obligations:platform-lists", may=permissions.may_see_platform_lists
        )
        nav.register("报送", "停报登记", "obligations:suspensions", may=permissions.may_see_suspensions)
        nav.register("管理", "报送规则", "obligations:policies", may=permissions.may_see_rules)
        nav.register("管理", "节假日安排", "obligations:calendar", may=permissions.may_see_rules)
        nav.register("管理", "平台停机", "obligations:outages", may=permissions.may_see_rules)
