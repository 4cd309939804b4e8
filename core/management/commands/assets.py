from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.management.frontend import AssetsError, fetch_assets


class Command(BaseCommand):
    help = "按 package-lock.json 获取前端文件到 static/vendor/"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--with-tests", action="store_true", help="同时获取浏览器测试所需的文件")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = fetch_assets(settings.BASE_DIR, with_tests=options["with_tests"])
        except AssetsError as error:
            raise CommandError(str(error)) from error
        for folder in written:
            self.stdout.write(f"已更新 {folder.relative_to(settings.BASE_DIR)}/")
