"""A standard's way: proposed, agreed, filed; what stops it, and who is told."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Organization, PilotMembership
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.models import Event, Notice
from core.workflow import NotNow
from funding import fees, services
from funding.models import CostElement, FeeCap, FeePolicy, FeeStandard
from funding.tests.fees import DAY, NEXT_MONTH, agreed, cap, filed, policy, proposed, standard
from funding.workflow import standards

TOLD = "考核费用标准："


def notices_of(user):
    return [n.text for n in Notice.objects.filter(recipient=user, text__startswith=TOLD).order_by("pk")]


def refused(call, field=None):
    with pytest.raises(ValidationError) as error:
        call()
    return "".join(error.value.message_dict[field] if field else error.value.messages)


def test_from_proposal_to_filing_it_holds_from_its_day_and_everybody_concerned_is_told(world):
    limit = cap(world)
    found = filed(world)
    assert (found.state, found.cap, found.filed_by) == ("filed", limit, world.office)
    world.level.refresh_from_db()
    assert world.level.exam_form == "computer"
    assert fees.standard_on(world.level, NEXT_MONTH) == found
    assert fees.standard_on(world.level, NEXT_MONTH - dt.timedelta(days=1)) is None
    assert [e.action for e in Event.objects.about(found)] == [
        "fee_standard_proposed",
        "fee_standard_agreed",
        "standard_file",
    ]
    assert any("已同意" in text for text in notices_of(world.evaluator_officer))
    assert any("演示备案〔2020〕2号" in text for text in notices_of(world.evaluator_officer))
    assert any("演示备案〔2020〕2号" in text for text in notices_of(world.contact))
    assert any("可以办理备案" in text for text in notices_of(world.office))
    assert notices_of(world.other_contact) == []


def test_exactly_the_cap_may_be_proposed_and_one_cent_more_may_not(world):
    cap(world, "300")
    message = refused(lambda: proposed(world, "300.01"), "amount")
    assert "300.00 元/人" in message
    assert "演示文号〔2020〕1号，2020年11月18日起执行" in message
    assert "教职成厅函〔2019〕19号 三(二)" in message
    assert not FeeStandard.objects.exists()
    assert proposed(world, "300.00").cap.amount == Decimal("300.00")


def test_the_cap_of_its_first_day_counts_not_todays(world):
    cap(world, "300")
    cap(world, "200", NEXT_MONTH)
    assert refused(lambda: proposed(world, "250", NEXT_MONTH), "amount")
    assert proposed(world, "250", NEXT_MONTH - dt.timedelta(days=1))


def test_a_cap_set_after_the_proposal_stops_the_filing(world):
    found = agreed(world, "250")
    services.set_cap(
        fields={
            "exam_form": "computer",
            "amount": Decimal("249.99"),
            "effective_from": NEXT_MONTH,
            "document": "5号",
        },
        by=world.finance,
        at=clock.now(),
    )
    with pytest.raises(NotNow, match=r"249\.99 元/人（机考，5号，2020年12月18日起执行）"):
        services.file_standard(found, document="6号", by=world.office, at=clock.now())
    found.refresh_from_db()
    assert found.state == "proposed"


def test_without_a_cap_it_is_accepted_and_so_noted(world):
    found = filed(world, "9999999.99")
    assert found.cap is None
    assert Event.objects.get(action="standard_file").changes["对照的上限"] == "未设上限"


def test_with_a_reason_above_the_cap_where_the_rule_of_its_day_allows(world):
    cap(world, "300")
    assert refused(lambda: proposed(world, "301", over_cap_reason="耗材贵"), "amount")
    policy(NEXT_MONTH, over_cap="reason")
    assert "请说明理由" in refused(lambda: proposed(world, "301"), "amount")
    assert filed(world, "301", over_cap_reason="耗材贵").state == "filed"


def test_no_filing_without_a_school_and_without_a_document(world):
    found = proposed(world)
    with pytest.raises(NotNow, match=r"晋教职成〔2020〕9号 三\.8"):
        services.file_standard(found, document="6号", by=world.office, at=clock.now())
    services.agree(found, by=world.contact, at=clock.now())
    assert "备案文号" in refused(
        lambda: services.file_standard(found, document=" ", by=world.office, at=clock.now())
    )
    assert services.file_standard(found, document="6号", by=world.finance, at=clock.now()).document == "6号"


def test_one_price_for_five_schools_each_says_yes_once(world):
    found = agreed(world)
    for number in range(4):
        school = world.add_school(f"联合演示学校{number}")
        person = world.add_user("school_contact", school.organization, f"joint{number}")
        services.agree(found, by=person, at=clock.now())
    assert found.consents.count() == 5
    assert "已于11月18日（星期三）10:00同意" in refused(
        lambda: services.agree(found, by=world.contact, at=clock.now())
    )
    assert sum("可以办理备案" in text for text in notices_of(world.office)) == 1
    services.file_standard(found, document="6号", by=world.office, at=clock.now())
    assert Notice.objects.filter(text__contains="已备案（6号）").count() == 6


@pytest.mark.parametrize(
    "who", ["office", "leader", "city_officer", "evaluator_officer", "auditor", "expert", "learner"]
)
def test_only_a_schools_contact_agrees(world, who):
    found = proposed(world)
    with pytest.raises(PermissionDenied, match="试点院校具体协商"):
        services.agree(found, by=getattr(world, who), at=clock.now())


def test_a_school_outside_the_pilot_has_no_say(world):
    found = proposed(world)
    PilotMembership.objects.filter(organization=world.school_org).update(left_at=clock.now())
    assert "在试点中的院校" in refused(lambda: services.agree(found, by=world.contact, at=clock.now()))


@pytest.mark.parametrize("who", ["office", "finance", "contact", "city_officer", "auditor", "learner"])
def test_only_an_evaluator_proposes(world, who):
    fields = {
        "certificate_level": world.level,
        "exam_form": "computer",
        "amount": Decimal(1),
        "effective_from": DAY,
    }
    with pytest.raises(PermissionDenied, match=r"三\.8"):
        services.propose_standard(fields=fields, costs={}, by=getattr(world, who), at=clock.now())


def test_an_evaluator_proposes_for_its_own_certificates_only(world):
    stranger = Organization.objects.create(kind="evaluator", name="另一演示评价组织", code="E2")
    certificate = Certificate.objects.create(name="另一证书", owner=stranger)
    level = CertificateLevel.objects.create(certificate=certificate, level=1)
    with pytest.raises(PermissionDenied):
        proposed(world, certificate_level=level)


@pytest.mark.parametrize("who", ["evaluator_officer", "contact", "city_officer", "auditor", "leading"])
def test_only_the_province_files_returns_and_refuses(world, who):
    found, by = agreed(world), getattr(world, who)
    with pytest.raises(PermissionDenied):
        services.file_standard(found, document="6号", by=by, at=clock.now())
    for act in (services.return_standard, services.refuse):
        with pytest.raises(PermissionDenied):
            act(found, comment="不行", by=by, at=clock.now())


def test_returned_and_changed_it_needs_the_schools_anew_and_only_mended_words_keep_them(world):
    found = agreed(world)
    services.return_standard(found, comment="请说明测算", by=world.office, at=clock.now())
    assert any("请说明测算" in text for text in notices_of(world.evaluator_officer))
    fields = {"exam_form": "computer", "amount": Decimal("280.00"), "effective_from": NEXT_MONTH}
    mended = standards.run(
        "standard_propose", found, fields=fields | {"basis": "按实际成本"}, costs={}, by=world.evaluator_officer, at=clock.now()
    )  # fmt: skip
    assert (mended.state, mended.basis, mended.consents.count()) == ("proposed", "按实际成本", 1)
    services.return_standard(found, comment="偏高", by=world.office, at=clock.now())
    mended = services.resubmit(
        found, fields=fields | {"amount": Decimal("260")}, costs={}, by=world.evaluator_officer, at=clock.now()
    )  # fmt: skip
    assert mended.consents.count() == 0
    assert any("请重新答复" in text for text in notices_of(world.contact))
    last = Event.objects.filter(action="standard_propose").latest("pk")
    assert last.changes == {"标准": ["280.00", "260.00"], "须重新同意": "太原演示职业学校"}


def test_what_was_returned_is_not_proposed_again_as_it_was(world):
    element = CostElement.objects.create(name="阅卷")
    found = proposed(world, costs={element: Decimal("100")})
    services.return_standard(found, comment="偏高", by=world.office, at=clock.now())
    fields = {"exam_form": "computer", "amount": Decimal("280"), "effective_from": NEXT_MONTH}

    def again(amount):
        costs = {element: Decimal(amount)}
        return services.resubmit(
            found, fields=fields, costs=costs, by=world.evaluator_officer, at=clock.now()
        )

    assert "内容与退回的相同" in refused(lambda: again("100"))
    found.refresh_from_db()
    assert found.state == "returned"
    assert again("120").state == "proposed"


def test_what_is_mended_above_the_cap_stays_returned_as_it_was(world):
    found = agreed(world)
    services.return_standard(found, comment="偏高", by=world.office, at=clock.now())
    cap(world, "300")
    fields = {"exam_form": "computer", "amount": Decimal("301"), "effective_from": NEXT_MONTH}
    assert refused(
        lambda: services.resubmit(found, fields=fields, costs={}, by=world.evaluator_officer, at=clock.now()),
        "amount",
    )
    found.refresh_from_db()
    assert (found.state, found.amount, found.consents.count()) == ("returned", Decimal("280.00"), 1)


def test_what_is_closed_cannot_be_taken_up_again(world):
    refused_one, taken_back = agreed(world), proposed(world, day=DAY)
    services.refuse(refused_one, comment="不合规定", by=world.office, at=clock.now())
    services.withdraw(taken_back, by=world.evaluator_officer, at=clock.now())
    for found in (refused_one, taken_back):
        with pytest.raises(NotNow, match="只有在“协商中”时"):
            services.file_standard(found, document="6号", by=world.office, at=clock.now())
        assert "只有在“协商中”时" in refused(
            lambda found=found: services.agree(found, by=world.other_contact, at=clock.now())
        )


def test_a_later_standard_takes_over_and_the_former_stays_as_it_was(world):
    first = filed(world, "280", DAY)
    second = filed(world, "260", NEXT_MONTH, document="7号")
    first.refresh_from_db()
    assert (first.state, first.amount) == ("filed", Decimal("280.00"))
    assert fees.standard_on(world.level, NEXT_MONTH - dt.timedelta(days=1)) == first
    assert fees.standard_on(world.level, NEXT_MONTH) == second
    assert list(FeeStandard.objects.current(NEXT_MONTH)) == [second]
    third = agreed(world, "250", NEXT_MONTH)
    with pytest.raises(NotNow, match="已备案的不改写"):
        services.file_standard(third, document="8号", by=world.office, at=clock.now())


def test_for_one_school_only_where_the_rule_says_so_and_only_that_school_agrees(world):
    own = {"organization": world.school_org}
    assert "全省执行一个标准" in refused(lambda: proposed(world, **own), "organization")
    policy(DAY, scope=FeePolicy.Scope.SCHOOL)
    found = proposed(world, **own)
    assert any("请答复是否同意" in text for text in notices_of(world.contact))
    assert "只适用另一所院校" in refused(
        lambda: services.agree(found, by=world.other_contact, at=clock.now())
    )
    services.agree(found, by=world.contact, at=clock.now())
    services.file_standard(found, document="6号", by=world.office, at=clock.now())
    assert fees.standard_on(world.level, NEXT_MONTH, school_id=world.school.pk) == found
    assert fees.standard_on(world.level, NEXT_MONTH, school_id=world.other_school.pk) is None
    elsewhere = world.add_school("只办别的职业学校")
    elsewhere.programmes.update(certificate_level=world.certificate.levels.create(level=1))
    for organization in (world.evaluator_org, elsewhere.organization):
        assert "开展或申报了这个证书等级的院校" in refused(
            lambda to=organization: proposed(world, day=DAY, organization=to), "organization"
        )


def test_costs_are_kept_and_may_not_exceed_the_standard(world):
    reading = CostElement.objects.create(name="阅卷", rank=1)
    staff = CostElement.objects.create(name="考评员劳务", rank=2)
    costs = {reading: Decimal("100.50"), staff: Decimal("179.50")}
    found = proposed(world, "280", costs=costs)
    assert {cost.element: cost.amount for cost in found.costs.all()} == costs
    message = refused(lambda: proposed(world, "279.99", DAY, costs=costs), "amount")
    assert "成本构成合计 280.00 元" in message


def test_the_same_proposal_is_not_made_twice(world):
    proposed(world)
    assert "正在协商" in refused(lambda: proposed(world, "270"), "effective_from")
    assert FeeStandard.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "1.005", "12345678.00"])
def test_an_amount_is_positive_and_to_the_cent(world, amount):
    assert refused(lambda: proposed(world, amount), "amount")


def test_the_evaluator_is_told_of_a_cap_below_its_standard(world):
    standard(world, "280", DAY)
    standard(world, "500", DAY, certificate_level=CertificateLevel.objects.create(certificate=world.certificate, level=3), exam_form="practical")  # fmt: skip
    services.set_cap(
        fields={"exam_form": "computer", "amount": Decimal("250"), "effective_from": NEXT_MONTH, "document": "5号"},
        by=world.office,
        at=clock.now(),
    )  # fmt: skip
    [told] = Notice.objects.filter(recipient=world.evaluator_officer)
    assert "280.00 元高于2020年12月18日起的考核成本上限 250 元（5号）" in told.text
    assert "此后提交和批准的申报都不得高于上限；已签署的协议对在试点的项目继续有效" in told.text
    assert FeeCap.objects.count() == 1
