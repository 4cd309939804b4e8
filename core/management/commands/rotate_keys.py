"""`manage.py rotate_keys`: encrypt everything anew with the first key of FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import crypto, rotation


class Command(BaseCommand):
    help = (
        "把所有加密字段和附件文件改用 FIELD_KEYS 中第一把密钥加密。可在平台运行时执行，可中断后再次执行；"
        "--check 只统计各把密钥还有多少数据。"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="只统计，不改动")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        faults = [] if check else self._rotate()
        newest, used = crypto.newest_key(), rotation.keys_in_use()
        for key, number in sorted(used.items()):
            named = f"密钥 {key}" if key else "未加密的文件"
            self.stdout.write(f"{named}：{number} 项{'（现行）' if key == newest else ''}")
        for fault in faults:
            self.stderr.write(f"读不出，没有改动：{fault.where}（{fault.key}）")
        old = sum(number for key, number in used.items() if key != newest)
        if faults or (old and not check):
            raise CommandError(
                f"还有 {old} 项没有改用密钥 {newest}，请不要移除旧密钥。确认所有进程都已用新的 FIELD_KEYS 重启，再执行一次。"
            )
        if not old:
            self.stdout.write(self.style.SUCCESS(f"全部数据都在密钥 {newest} 之下，旧密钥可以移除。"))

    def _rotate(self) -> list[rotation.Fault]:
        faults = []
        for count in rotation.rotate(self._progress):
            self.stdout.write(f"{count.name}：共 {count.total}，改用新密钥 {count.renewed}")
            faults += count.faults
        return faults

    def _progress(self, name: str, done: int, total: int) -> None:
        self.stdout.write(f"{name}：{done}/{total}")
        self.stdout.flush()
