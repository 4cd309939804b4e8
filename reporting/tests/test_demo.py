"""The demonstration province: what it promises, that it is whole or absent, and that it invents nothing
of anybody real."""

import io
from collections import Counter
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Q, Sum

from accounts.models import City, Organization, PilotMembership, Role, User
from certificates.models import Certificate
from core import bulk, clock
from core.drafts import content_hash
from core.models import ClockOrigin, Event
from obligations.models import Obligation, Outcome, Period
from obligations.rates import rate, rates, total
from reporting import content as shape
from reporting.demo import behaviour, names
from reporting.demo.chronicle import Chronicle
from reporting.demo.province import PASSWORD
from reporting.models import ProgrammeFigures, ReportVersion, StreakWarning
from reporting.sheet import sheet_for
from reporting.streaks import current_streaks
from reporting.sweep import LAG, sweep
from schools.models import AnnualPlan, Programme, School
from supervision.models import Case


def load_reference():
    call_command("load_reference", stdout=io.StringIO())


def demo(**options) -> str:
    out = io.StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_the_demonstration_province_keeps_its_promises():
    load_reference()
    said = demo()
    assert PASSWORD in said
    assert clock.local(clock.now()).strftime("%Y-%m-%d %H:%M") == "2020-11-18 10:00"
    _has_the_size_it_should_have()
    _shows_every_pattern()
    _is_what_the_portal_would_have_made()
    _has_reports_that_the_form_would_take()
    _says_nothing_of_anybody_real()
    _is_not_made_twice()


def _has_the_size_it_should_have():
    schools = School.objects.filter(organization__is_demonstration=True)
    assert schools.count() == 161
    assert Organization.objects.schools().members_at(clock.now()).count() == 161
    assert AnnualPlan.objects.filter(year=2020).aggregate(n=Sum("candidates"))["n"] == 36_400
    assert set(schools.values_list("organization__city", flat=True)) == set(
        City.objects.values_list("pk", flat=True)
    )
    assert set(schools.values_list("kind", flat=True)) == set(School.Kind.values)
    supervisors = set(schools.values_list("organization__supervisor__kind", flat=True))
    assert supervisors == {"province", "city"}
    assert Counter(User.objects.exclude(role=Role.SCHOOL_CONTACT).values_list("role", flat=True)) == {
        **{role: 1 for role in Role.values if role != Role.SCHOOL_CONTACT},
        Role.OFFICE: 2,
        Role.CITY_BUREAU: 11,
    }
    assert User.objects.get(username="contact").check_password(PASSWORD)
    assert not User.objects.get(organization__code="DEMO000002").has_usable_password()


def _shows_every_pattern():
    states = Counter(o.state for o in Obligation.objects.weekly())
    assert set(states) == {"on_time", "late", "missed", "filled", "excused", "exempt", "pending"}
    assert states["on_time"] > 10 * states["late"] > 10 * (states["missed"] + states["filled"])
    for key in ("2020-W40", "2020-W05", "2020-W31"):
        assert set(Obligation.objects.filter(key=key).values_list("outcome", flat=True)) == {"exempt"}
    case = Case.objects.get()
    assert list(case.evidence.values_list("obligation__key", flat=True)) == [
        "2020-W44",
        "2020-W45",
        "2020-W46",
    ]
    weeks = Counter(
        s.weeks for s in current_streaks(Organization.objects.values("pk"), at=clock.now()).values()
    )
    assert weeks[3] == 1
    assert weeks[2] >= 2
    assert weeks[1] >= 2
    home = User.objects.get(username="contact").organization
    assert home.supervisor.kind == "city"
    assert Obligation.objects.get(organization=home, key="2020-W47").outcome == Outcome.PENDING
    assert {"on_time", "pending"} <= set(
        Obligation.objects.filter(key="2020-W47").values_list("outcome", flat=True)
    )


def _is_what_the_portal_would_have_made():
    assert not any(sweep(clock.now() - LAG).as_dict().values())
    missed = Obligation.objects.filter(outcome=Outcome.MISSED)
    assert Event.objects.filter(action="obligation_missed").count() == missed.count()
    assert Event.objects.filter(action="report_submitted").count() == ReportVersion.objects.count()
    flagged = Case.objects.get().evidence.last().obligation
    assert StreakWarning.objects.count() == missed.exclude(pk=flagged.pk).count()
    owed = Obligation.objects.weekly()
    assert total(rates(owed, "organization__supervisor").values()) == rate(owed)
    for period in Period.objects.closed():
        assert not period.obligations.pending().exists()
    for obligation in owed.filter(outcome__in=["on_time", "late"]).order_by("?")[:50]:
        assert obligation.report.current.received_at == obligation.received_at
        assert (obligation.received_at < obligation.due_at) == (obligation.outcome == "on_time")


def _has_reports_that_the_form_would_take():
    """In each school's reports, in time order: nothing empty, no fall, no jump without a word."""
    versions = ReportVersion.objects.select_related("report__obligation__period").order_by(
        "report__obligation__organization", "report__obligation__due_at"
    )
    assert ProgrammeFigures.objects.count() == sum(len(v.content["programmes"]) for v in versions)
    for version in versions[:60]:
        assert set(version.content["programmes"]) == set(sheet_for(version.report.obligation).names)
    for before, now in pairwise(versions[:1500]):
        assert now.content_hash == content_hash(now.content)
        same_school = before.content["organization"] == now.content["organization"]
        same_year = before.content["period"][:4] == now.content["period"][:4]
        rows = before.content["programmes"] if same_school and same_year else {}
        assert not shape.says_nothing(now.content, rows)
        back_filled = before.report.obligation.filled_at or now.report.obligation.filled_at
        for pk, row in now.content["programmes"].items():
            assert back_filled or row["explanation"] or not shape.questions(row, rows.get(pk))


def _says_nothing_of_anybody_real():
    real = Organization.objects.filter(is_demonstration=False)
    known = set(real.values_list("name", flat=True))
    for organization in Organization.objects.filter(is_demonstration=True):
        assert "演示" in organization.name
        assert organization.code.startswith(names.CODE_PREFIX)
        assert organization.name not in known
    for related in (
        Obligation.objects.filter(organization__in=real),
        PilotMembership.objects.filter(organization__in=real),
        Programme.objects.filter(
            Q(school__organization__in=real) | Q(certificate_level__certificate__owner__in=real)
        ),
        User.objects.filter(organization__in=real),
        Case.objects.filter(organization__in=real),
        Event.objects.filter(organization__in=real).exclude(action="reference_loaded"),
        Organization.objects.filter(supervisor__in=real, is_demonstration=True),
    ):
        assert not related.exists()
    assert not Organization.objects.authorities().filter(is_demonstration=False).exists()
    for certificate in Certificate.objects.filter(owner__is_demonstration=True):
        assert certificate.name.startswith("演示")


def _is_not_made_twice():
    rows = Event.objects.count()
    assert PASSWORD in demo(if_empty=True)
    assert Event.objects.count() == rows
    with pytest.raises(CommandError, match="已有演示数据"):
        demo()
    assert ClockOrigin.objects.count() == 1


@pytest.mark.django_db
def test_an_interrupted_demonstration_leaves_nothing(monkeypatch):
    load_reference()
    monkeypatch.setattr(Chronicle, "play", lambda self, say: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo()
    assert not Organization.objects.filter(is_demonstration=True).exists()
    assert not ClockOrigin.objects.exists()


@pytest.mark.django_db
def test_it_needs_reference_data_first():
    with pytest.raises(CommandError, match="load_reference"):
        demo()


def test_it_never_touches_a_portal_in_use(world):
    with pytest.raises(CommandError, match="正式使用"):
        demo()
    assert "正式使用" in demo(if_empty=True)
    assert not Organization.objects.filter(is_demonstration=True).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"schools": 5}, {"years": 0}, {"years": 99}])
def test_sizes_that_make_no_province_are_refused(options):
    load_reference()
    with pytest.raises(CommandError, match="至少"):
        demo(**options)


def test_no_streak_reaches_three_but_the_flagged_ones():
    rng = behaviour.Random(1)
    habit = behaviour.Habit(on_time=0.1, late=0.1)
    for weeks_ago in range(500, 0, -1):
        behaviour.outcome(habit, weeks_ago, rng)
        assert habit.streak < 3


@pytest.mark.parametrize(
    ("n", "text"), [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (45, "四十五"), (100, "100")]
)
def test_numerals(n, text):
    assert names.numeral(n) == text


@pytest.mark.postgres
@pytest.mark.django_db
def test_copied_text_comes_back_as_it_was(world):
    awkward = 'a\tb\\n\n"，\r\\N'
    bulk.insert([City(code="149900", name=awkward)])
    assert City.objects.get(code="149900").name == awkward
