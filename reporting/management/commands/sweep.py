"""`manage.py sweep [--at INSTANT] [--json]`: what beat does each minute, at any instant."""

import datetime as dt
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import clock
from reporting.sweep import LAG, sweep


class Command(BaseCommand):
    help = "到点的周期开始、提醒、关闭、预警和立案；可重复执行。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at", help="ISO 8601 时刻，须带时区，如 2020-11-23T18:00:01+08:00；默认为平台时刻前 60 秒"
        )
        parser.add_argument("--json", action="store_true", help="只输出一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        at = parse_instant(options["at"]) if options["at"] else clock.now() - LAG
        counts = sweep(at).as_dict()
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.write("，".join(f"{name} {number}" for name, number in counts.items()))


def parse_instant(text: str) -> dt.datetime:
    """An aware instant. Raises CommandError."""
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"不是 ISO 8601 时刻：{text}") from error
    if instant.tzinfo is None:
        raise CommandError(f"时刻须带时区，如 {text}+08:00")
    return instant.astimezone(dt.UTC)
