from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import Organization
from accounts.reference import load_colleges, load_divisions
from certificates.reference import load_certificates, load_evaluators, load_majors
from core import clock, events
from core.reference import BadReference, Counts
from evaluators.reference import load_profiles as load_evaluator_profiles
from funding.reference import load_cost_elements
from obligations.reference import load_calendar
from schools.reference import load_profiles as load_school_profiles

FILES = Path(settings.BASE_DIR) / "reference"


class Command(BaseCommand):
    help = "载入参考数据：区划、高校、证书、专业、节假日、考核成本项目。可重复执行，人工修改过的记录不覆盖"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--data",
            type=Path,
            default=FILES / "shanxi",
            help="本省数据目录（列的说明见 reference/README.md）",
        )
        parser.add_argument("--national", type=Path, default=FILES / "national", help="全国数据目录")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts, office = load(options["data"], options["national"])
        except BadReference as error:
            raise CommandError(f"{error}。没有载入任何数据。") from error
        for kind, count in counts.items():
            self.stdout.write(f"{kind}：{count}")
        if not any(count.changed for count in counts.values()):
            self.stdout.write("参考数据没有变化。")
        if office.code != settings.PROVINCE_CODE:
            self.stdout.write(f"注意：环境变量 PROVINCE_CODE 应设为 {office.code}（{office}）。")


@transaction.atomic
def load(province_folder: Path, national_folder: Path) -> tuple[dict[str, Counts], Organization]:
    """All or nothing. Raises BadReference."""
    counts, province = load_divisions(province_folder)
    counts |= load_calendar(national_folder)
    college_counts, colleges = load_colleges(province_folder, province)
    counts |= college_counts | load_school_profiles(colleges)
    counts |= load_majors(national_folder)
    evaluator_counts, owners = load_evaluators(national_folder)
    counts |= evaluator_counts | load_certificates(national_folder, owners)
    counts |= load_evaluator_profiles(owners.organizations())
    counts |= load_cost_elements(national_folder)
    if any(count.changed for count in counts.values()):
        events.record(
            "reference_loaded",
            province.office,
            by="load_reference",
            at=clock.now(),
            organization_id=province.office.pk,
            changes={kind: str(count) for kind, count in counts.items() if count.changed},
        )
    return counts, province.office
