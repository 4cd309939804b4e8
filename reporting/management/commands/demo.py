import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import City, Organization, PilotMembership, User
from core import clock
from core.models import ClockOrigin
from reporting.demo import (
    activities,
    agreements,
    coordination,
    evaluator_filings,
    feedback,
    fees,
    filings,
    funds,
    platform,
    sites,
)
from reporting.demo.autumn import Autumn
from reporting.demo.chronicle import Chronicle, settle
from reporting.demo.province import PASSWORD, SCHOOLS, DemoProvince, Founder
from reporting.demo.spring import Spring

NOW = clock.at(dt.date(2020, 11, 18), dt.time(10))
MOST_YEARS = 10
NAMED = [
    "office1", "office2", "finance", "coordinator", "leading", "expert", "thirdparty", "city", "contact",
    "leader", "evaluator", "auditor", "learner",
]  # fmt: skip


class Command(BaseCommand):
    help = "建立演示省份（2020年秋，全部机构为虚构）。先执行 load_reference"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--schools", type=int, default=SCHOOLS, help=f"院校数，默认 {SCHOOLS}")
        parser.add_argument("--years", type=int, default=1, help="截至2020年11月18日的年数，默认 1")
        parser.add_argument("--seed", type=int, default=2020, help="随机数种子；种子相同则数据相同")
        parser.add_argument("--if-empty", action="store_true", help="已有数据时什么也不做")

    def handle(self, *args: Any, **options: Any) -> None:
        if not self._is_free(if_empty=options["if_empty"]):
            return
        if options["schools"] < 30 or not 1 <= options["years"] <= MOST_YEARS:
            raise CommandError(f"--schools 至少 30，--years 为 1 至 {MOST_YEARS}。")
        self.stdout.write("正在建立演示数据 …")
        make(schools=options["schools"], years=options["years"], seed=options["seed"], say=self.stdout.write)
        clock.forget_origin()
        self._show_accounts()

    def _is_free(self, *, if_empty: bool) -> bool:
        """Whether the demonstration may be made here; it is made whole or not at all."""
        if Organization.objects.filter(is_demonstration=True).exists():
            if not if_empty:
                raise CommandError("已有演示数据。要重新建立，请换一个空的数据库（或删除数据目录）。")
            self._show_accounts()
            return False
        in_use = PilotMembership.objects.exists() or User.objects.exists()
        if in_use:
            if not if_empty:
                raise CommandError("数据库已在正式使用（已有账号或试点院校），不能建立演示数据。")
            self.stdout.write("数据库已在正式使用，没有建立演示数据。")
            return False
        if not City.objects.exists():
            raise CommandError("还没有参考数据。请先执行 manage.py load_reference。")
        return True

    def _show_accounts(self) -> None:
        users = User.objects.filter(username__in=NAMED).select_related("organization")
        found = {user.username: user for user in users}
        self.stdout.write(f"演示账号（密码均为 {PASSWORD}；机构、人员均为虚构）：")
        for username in NAMED:
            if user := found.get(username):
                where = f" · {user.organization}" if user.organization else ""
                self.stdout.write(f"  {username:<12} {user.get_role_display()}{where}")


@transaction.atomic
def make(*, schools: int, years: int, seed: int, say: Callable[[str], object]) -> None:
    """The whole demonstration, in one transaction; at its end the portal's clock shows `NOW`."""
    rng = Random(seed)  # noqa: S311 (invented data, the same for the same seed)
    starts_on = clock.local(NOW).date() - dt.timedelta(weeks=52 * years)
    starts_on -= dt.timedelta(days=starts_on.weekday())
    province = Founder(schools=schools, starts_on=starts_on, rng=rng).found()
    _begin_evaluators(province)
    Chronicle(province, starts_on=starts_on, now=NOW, rng=rng).play(say)
    funds.allocate(province, now=NOW)
    say("申报、协议和费用 …")
    _apply(province, rng)
    settle(NOW)
    ClockOrigin.objects.create(real_at=clock.real_now(), portal_at=NOW)


def _begin_evaluators(province: DemoProvince) -> None:
    """Before the weeks are played: the months that evaluators report count their activities."""
    coordination.play(province)
    evaluator_filings.play(province)
    activities.play(province)


def _apply(province: DemoProvince, rng: Random) -> None:
    """From fees and agreements to programmes: two rounds, of which the second is running."""
    fees.play(province)
    platform.found_sleepers(province)
    spring = Spring(province, now=NOW, rng=rng)
    spring.play()
    agreements.sign_first_roster(province, later=spring.begun, now=NOW, rng=rng)
    agreements.sign_unusual(province, now=NOW)
    filings.play(province, [*spring.old, *spring.new])
    Autumn(province, now=NOW, rng=rng).play()
    platform.tell_courses(province)
    platform.take_states(province, rng)
    sites.play(province, rng)
    feedback.play(province)
