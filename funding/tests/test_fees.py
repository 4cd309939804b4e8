"""Which cap and standard bind a fee on a day, to the cent and to the day."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.models import CertificateLevel, ExamForm
from core import clock
from funding import fees
from funding.models import CostElement, FeeCap, StandardConsent, StandardCost
from funding.tests.fees import DAY, NEXT_MONTH, cap, policy, standard


def refused(world, amount, day=DAY, **changes):
    return fees.refusals(Decimal(amount), level=world.level, day=day, **changes)


@pytest.fixture
def by_computer(world):
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    world.level.refresh_from_db()
    return world


def test_the_cap_is_accepted_and_one_cent_more_is_refused_with_amount_document_date_and_clause(by_computer):
    cap(by_computer)
    assert refused(by_computer, "300.00") == []
    [message] = refused(by_computer, "300.01")
    for told in (
        "300.01 元",
        "300.00 元/人",
        "机考",
        "演示文号〔2020〕1号",
        "2020年11月18日",
        "教职成厅函〔2019〕19号 三(二)",
        "晋教职成〔2020〕9号 三.8",
        "鄂教职成办函〔2021〕7号 三.5",
    ):
        assert told in message


def test_a_cap_holds_from_its_day_until_the_next(by_computer):
    cap(by_computer, "300")
    cap(by_computer, "200", NEXT_MONTH, document="2号")
    one = dt.timedelta(days=1)
    assert refused(by_computer, "999", DAY - one) == []
    assert refused(by_computer, "250", NEXT_MONTH - one) == []
    [message] = refused(by_computer, "250", NEXT_MONTH)
    assert "2号" in message


def test_the_levels_own_cap_beats_a_later_one_of_the_form(by_computer):
    own = cap(by_computer, "400", level=by_computer.level)
    form = cap(by_computer, "300", NEXT_MONTH)
    assert fees.cap_on(by_computer.level, "computer", NEXT_MONTH) == own
    other = CertificateLevel.objects.create(certificate=by_computer.certificate, level=3)
    assert fees.cap_on(other, "computer", NEXT_MONTH) == form
    assert fees.cap_on(by_computer.level, "paper", NEXT_MONTH) is None


def test_without_a_cap_or_a_form_all_is_accepted_and_it_is_said_why(world):
    limit = fees.limit_on(world.level, DAY)
    assert (limit.cap, limit.standard, limit.note) == (None, None, "考核形式未登记，无从对照上限")
    world.level.exam_form = "paper"
    assert fees.limit_on(world.level, DAY).note == "未设上限"
    assert refused(world, "99999.99") == []


def test_a_standard_bounds_the_fee_and_names_its_document(world):
    standard(world, "280")
    assert refused(world, "280") == []
    [message] = refused(world, "280.01")
    assert "280.00 元/人" in message
    assert "演示备案〔2020〕1号，2020年11月18日起执行" in message
    assert refused(world, "999", DAY - dt.timedelta(days=1)) == []


def test_a_standard_older_than_the_cap_and_the_cap_both_bind(world):
    standard(world, "280")
    cap(world, "250", NEXT_MONTH)
    assert refused(world, "280", NEXT_MONTH - dt.timedelta(days=1)) == []
    [by_cap] = refused(world, "251", NEXT_MONTH)
    assert "上限 250.00" in by_cap
    by_standard, by_cap = refused(world, "281", NEXT_MONTH)
    assert "标准 280.00" in by_standard


def test_the_form_of_the_filed_standard_decides_which_cap(by_computer):
    cap(by_computer, "300")
    cap(by_computer, "500", form="practical")
    standard(by_computer, "450", exam_form="practical")
    assert refused(by_computer, "450") == []


def test_a_later_standard_takes_over_from_its_day_and_only_filed_ones_count(world):
    standard(world, "280")
    standard(world, "200", NEXT_MONTH)
    standard(world, "100", state="proposed")
    assert refused(world, "280", NEXT_MONTH - dt.timedelta(days=1)) == []
    assert refused(world, "201", NEXT_MONTH)


def test_a_schools_own_standard_counts_for_it_alone_and_only_where_the_rule_says_so(world):
    standard(world, "280")
    standard(world, "200", organization=world.school_org)
    assert refused(world, "250", school_id=world.school.pk) == []
    policy(scope="school")
    assert "标准 200.00" in refused(world, "250", school_id=world.school.pk)[0]
    assert refused(world, "250", school_id=world.other_school.pk) == []
    assert refused(world, "250") == []
    assert refused(world, "281", school_id=world.other_school.pk)


def test_above_the_cap_with_a_reason_where_the_rule_allows_but_never_above_the_standard(by_computer):
    cap(by_computer, "300")
    assert refused(by_computer, "301", reason="耗材多")
    policy(NEXT_MONTH, over_cap="reason")
    assert refused(by_computer, "301", reason="耗材多")
    assert refused(by_computer, "301", NEXT_MONTH, reason="耗材多") == []
    assert "请说明理由" in refused(by_computer, "301", NEXT_MONTH, reason="  ")[0]
    standard(by_computer, "310")
    [message] = refused(by_computer, "311", NEXT_MONTH, reason="耗材多")
    assert "考核费用标准 310.00" in message


def test_a_fee_need_not_rise_with_the_level(world):
    standard(world, "503")
    higher = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    standard(world, "415", certificate_level=higher)
    assert fees.refusals(Decimal("415"), level=higher, day=DAY) == []
    assert refused(world, "503") == []


def test_filing_waits_for_a_school_the_cap_of_its_day_and_costs_within_the_sum(world):
    cap(world, "270", NEXT_MONTH)
    asked = standard(world, "280", state="proposed", document="")
    [message] = fees.obstacles(asked, clock.now())
    assert "晋教职成〔2020〕9号 三.8" in message
    StandardConsent.objects.create(
        standard=asked, organization=world.school_org, agreed_by=world.contact, agreed_at=clock.now()
    )
    assert fees.obstacles(asked, clock.now()) == []
    StandardCost.objects.create(
        standard=asked, element=CostElement.objects.create(name="阅卷"), amount=Decimal("280.01")
    )
    assert "280.01" in fees.obstacles(asked, clock.now())[0]
    asked.costs.all().delete()
    asked.effective_from = NEXT_MONTH
    assert "上限 270.00" in fees.obstacles(asked, clock.now())[0]


def test_two_standards_of_one_day_are_never_both_filed(world):
    standard(world, "280")
    asked = standard(world, "260", state="proposed")
    StandardConsent.objects.create(
        standard=asked, organization=world.school_org, agreed_by=world.contact, agreed_at=clock.now()
    )
    [message] = fees.obstacles(asked, clock.now())
    assert "已备案的不改写" in message


@settings(max_examples=40)
@given(
    caps=st.lists(
        st.tuples(
            st.sampled_from(ExamForm.values),
            st.sampled_from(["own", "other", None]),
            st.integers(0, 6),
            st.integers(1, 99999999),
        ),
        max_size=8,
        unique_by=lambda row: row[:3],
    ),
    form=st.sampled_from(ExamForm.values),
    asked=st.integers(0, 6),
    cents=st.integers(1, 99999999),
)
def test_the_cap_found_is_the_one_a_reader_would_choose(world, caps, form, asked, cents):
    FeeCap.objects.all().delete()
    other, _ = CertificateLevel.objects.get_or_create(certificate=world.certificate, level=1)
    levels = {"own": world.level, "other": other, None: None}
    for kind, whose, offset, amount in caps:
        cap(world, Decimal(amount) / 100, DAY + dt.timedelta(days=offset), level=levels[whose], form=kind)
    begun = [row for row in caps if row[0] == form and row[2] <= asked]
    own = [row for row in begun if row[1] == "own"]
    general = [row for row in begun if row[1] is None]
    expected = max(own or general, key=lambda row: row[2], default=None)
    day = DAY + dt.timedelta(days=asked)
    found = fees.cap_on(world.level, form, day)
    assert (found and found.amount) == (expected and Decimal(expected[3]) / 100)
    world.level.exam_form = form
    amount = Decimal(cents) / 100
    refused_at = fees.refusals(amount, level=world.level, day=day)
    assert bool(refused_at) == (expected is not None and cents > expected[3])
