from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"
    verbose_name = "证书目录"

    def ready(self) -> None:
        from certificates import permissions, search
        from core import nav
        from core.search import register

        register("证书", search.certificates)
        nav.register("备案", "学分记录建议", "credit:list", may=permissions.may_see_proposals, rank=8)
