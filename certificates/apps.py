from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"
    verbose_name = "证书目录"

    def ready(self) -> None:
        from certificates import search
        from core.search import register

        register("证书", search.certificates)
