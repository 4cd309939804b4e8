"""Pages of caps and standards: who sees what, what is refused keeps what was typed, no query per row."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from certificates.models import CertificateLevel
from core import clock
from core.models import Event, Notice
from funding import services
from funding.models import CostElement, FeeCap, FeePolicy, FeeStandard, StandardConsent
from funding.tests.fees import DAY, NEXT_MONTH, agreed, cap, filed, policy, proposed, standard

CAPS, STANDARDS, GAPS = (reverse(f"funding:{name}") for name in ("caps", "standards", "fee-gaps"))
PUBLIC, NEW = reverse("funding:public-standards"), reverse("funding:standard-new")
EVERYBODY = [
    "office", "finance", "coordinator", "leading", "expert", "third_party", "city_officer", "contact",
    "leader", "evaluator_officer", "auditor",
]  # fmt: skip


def page_of(found, name="standard", *args):
    return reverse(f"funding:{name}", args=[found.pk, *args])


def shown(client, address, **asked):
    return [row.record for row in client.get(address, asked).context["table"].rows]


def typed(world, **changes):
    return {
        "certificate_level": world.level.pk,
        "exam_form": "computer",
        "amount": "280.00",
        "effective_from": "2020-12-18",
        "basis": "按实际成本测算",
    } | changes


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_who_works_here_reads_caps_and_lists(world, client_for, who):
    cap(world)
    client = client_for(getattr(world, who))
    assert "演示文号〔2020〕1号" in client.get(CAPS).content.decode()
    for address in (STANDARDS, GAPS, reverse("funding:fee-policies")):
        assert client.get(address).status_code == 200


def test_a_learner_and_a_stranger_read_only_the_public_list(world, client_for):
    found = proposed(world)
    for address in (CAPS, STANDARDS, GAPS, reverse("funding:fee-policies"), NEW):
        assert client_for(world.learner).get(address).status_code == 403
        assert "/sign-in/" in Client().get(address)["Location"]
    assert client_for(world.learner).get(page_of(found)).status_code == 404


@pytest.mark.parametrize(
    ("who", "sees"),
    [("office", 3), ("finance", 3), ("auditor", 3), ("leading", 3), ("evaluator_officer", 3), ("contact", 2),
     ("leader", 2), ("city_officer", 2), ("other_contact", 2), ("other_city_officer", 2), ("expert", 0),
     ("coordinator", 0)],
)  # fmt: skip
def test_each_sees_the_standards_for_all_and_those_of_the_own_schools(world, client_for, who, sees):
    everywhere = standard(world)
    own = standard(world, organization=world.school_org, state="proposed")
    others = standard(world, organization=world.other_school_org, state="proposed")
    client = client_for(getattr(world, who))
    found = shown(client, STANDARDS)
    assert len(found) == sees
    for record in (everywhere, own, others):
        assert client.get(page_of(record)).status_code == (200 if record in found else 404)


def test_a_cap_is_checked_before_it_is_saved_and_names_what_it_undercuts(world, client_for):
    standard(world, "280")
    client, address = client_for(world.finance), reverse("funding:cap-new")
    asked = {
        "exam_form": "computer",
        "amount": "250",
        "effective_from": "2020-12-18",
        "document": "演示文号〔2020〕9号",
    }
    page = client.post(address, asked).content.decode()
    assert "高于这条上限的备案标准" in page
    assert "此前签署的协议对在试点的项目继续有效" in page
    assert "280.00 元/人" in page
    assert not FeeCap.objects.exists()
    assert client.post(address, asked | {"step": "confirm"}).status_code == 302
    assert FeeCap.objects.get().amount == Decimal("250.00")
    again = client.post(address, asked | {"amount": "260"}).content.decode()
    assert "当日已有一条上限" in again
    assert "演示文号〔2020〕9号" in again


@pytest.mark.parametrize("who", ["leading", "contact", "city_officer", "evaluator_officer", "auditor"])
def test_others_may_not_set_caps_or_rules(world, client_for, who):
    coming, rule = cap(world, day=NEXT_MONTH), policy(NEXT_MONTH)
    client = client_for(getattr(world, who))
    for address in (
        reverse("funding:cap-new"),
        page_of(coming, "cap-remove"),
        reverse("funding:fee-policy-new"),
        page_of(rule, "fee-policy-remove"),
        page_of(world.level, "exam-form"),
    ):
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403
    assert "登记上限" not in client.get(CAPS).content.decode()


def test_caps_are_found_by_whether_they_hold(world, client_for):
    past, now, coming = (
        cap(world, amount, DAY.replace(month=month)) for amount, month in (("1", 1), ("2", 11), ("3", 12))
    )
    own = cap(world, "4", DAY.replace(month=2), level=world.level)
    client = client_for(world.office)
    found = {name: set(shown(client, CAPS, standing=name)) for name in ("past", "in_force", "coming")}
    assert found == {"past": {past}, "in_force": {now, own}, "coming": {coming}}
    listed = client.get(CAPS).content.decode()
    assert page_of(coming, "cap-remove") in listed
    assert page_of(now, "cap-remove") not in listed
    client.post(page_of(coming, "cap-remove"))
    assert not FeeCap.objects.filter(pk=coming.pk).exists()
    assert "已经生效" in client.post(page_of(now, "cap-remove"), follow=True).content.decode()


def test_rules_are_shown_with_their_history_and_set_after_a_check(world, client_for):
    client, address = client_for(world.office), reverse("funding:fee-policy-new")
    assert "没有另行制定时" in client.get(reverse("funding:fee-policies")).content.decode()
    asked = {"effective_from": "2020-12-18", "scope": "school", "over_cap": "reason"}
    page = client.post(address, asked).content.decode()
    assert "由“全省每个证书等级一个标准”改为“可按院校分别协商”" in page
    client.post(address, asked | {"step": "confirm"})
    rule = FeePolicy.objects.get()
    assert page_of(rule, "fee-policy-remove") in client.get(reverse("funding:fee-policies")).content.decode()
    early = client.post(address, asked | {"effective_from": "2020-11-17", "step": "confirm"})
    assert "不能早于今天" in early.content.decode()
    client.post(page_of(rule, "fee-policy-remove"))
    assert not FeePolicy.objects.exists()


def test_above_the_cap_is_refused_with_cap_document_and_date_and_the_typed_stays(world, client_for):
    cap(world, "300", document="演示上限〔2020〕3号")
    element = CostElement.objects.create(name="阅卷")
    client = client_for(world.evaluator_officer)
    page = client.post(NEW, typed(world, amount="300.01", **{f"cost_{element.pk}": "12.50"})).content.decode()
    for text in (
        "300.01",
        "300.00 元/人",
        "演示上限〔2020〕3号，2020年11月18日起",
        "按实际成本测算",
        "12.50",
    ):
        assert text in page
    checked = client.post(NEW, typed(world, amount="300", **{f"cost_{element.pk}": "12.50"})).content.decode()
    assert "演示上限〔2020〕3号" in checked
    assert not FeeStandard.objects.exists()
    client.post(NEW, typed(world, amount="300", step="confirm", **{f"cost_{element.pk}": "12.50"}))
    found = FeeStandard.objects.get()
    page = client.get(page_of(found)).content.decode()
    assert "12.50" in page
    assert "成本构成" in page


def test_what_the_rule_does_not_allow_is_not_asked(world, client_for):
    client = client_for(world.evaluator_officer)
    assert not {"organization", "over_cap_reason"} & set(client.get(NEW).context["form"].fields)
    policy(NEXT_MONTH, scope="school", over_cap="reason")
    assert {"organization", "over_cap_reason"} <= set(client.get(NEW).context["form"].fields)


def test_a_school_agrees_an_officer_files_and_everybody_reads(world, client_for):
    found = proposed(world)
    office, school = client_for(world.office), client_for(world.contact)
    assert "还没有试点院校同意" in office.get(page_of(found)).content.decode()
    act = page_of(found, "standard-act", "standard_file")
    early = office.get(act)
    assert early.status_code == 409
    assert "晋教职成〔2020〕9号 三.8" in early.content.decode()
    assert school.post(page_of(found, "standard-agree")).status_code == 302
    assert school.post(page_of(found, "standard-agree")).status_code == 409
    assert "请核对" in office.post(act, {"document": "演示备案〔2020〕6号"}).content.decode()
    assert FeeStandard.objects.get().state == "proposed"
    office.post(act, {"document": "演示备案〔2020〕6号", "step": "confirm"})
    assert FeeStandard.objects.get().state == "filed"
    assert office.get(act).status_code == 409
    world.at("2020-12-17T23:59:59+08:00")
    assert "演示备案〔2020〕6号" not in Client().get(PUBLIC).content.decode()
    world.at("2020-12-18T00:00:00+08:00")
    assert "演示备案〔2020〕6号" in Client().get(PUBLIC).content.decode()


def mended(world, found, amount="900", **changes):
    """Returned, and proposed again with another amount, while somebody reads it."""
    services.return_standard(found, comment="请改", by=world.office2, at=clock.now())
    fields = {name: getattr(found, name) for name in ("exam_form", "organization", "effective_from", "basis")}
    services.resubmit(
        found,
        fields=fields | {"amount": Decimal(amount)} | changes,
        costs={},
        by=world.evaluator_officer,
        at=clock.now(),
    )


def test_a_school_agrees_to_nothing_but_what_it_read(world, client_for):
    found, school = proposed(world), client_for(world.contact)
    address = page_of(found, "standard-agree")
    read = school.get(address).context["form"]["read"].value()
    mended(world, found)
    answer = school.post(address, {"read": read})
    assert answer.status_code == 409
    assert "您看的是修改前的内容" in answer.content.decode()
    assert not StandardConsent.objects.exists()
    shown = school.get(address)
    assert "900.00 元/人" in shown.content.decode()
    assert school.post(address, {"read": shown.context["form"]["read"].value()}).status_code == 302


@pytest.mark.parametrize("action", ["standard_file", "standard_return", "standard_refuse"])
@pytest.mark.parametrize("changes", [{"amount": "900"}, {"amount": "280", "basis": "另一种测算"}])
def test_an_officer_answers_nothing_but_what_was_read(world, client_for, action, changes):
    found, office = agreed(world), client_for(world.office)
    address = page_of(found, "standard-act", action)
    form = office.get(address).context["form"]
    typed = {"document": "6号", "comment": "见附件", "read": form["read"].value()}
    assert "请核对" in office.post(address, typed).content.decode()
    mended(world, found, **changes)
    if not found.consents.exists():
        services.agree(found, by=world.contact, at=clock.now())
    for step in ("", "confirm"):
        answer = office.post(address, typed | {"step": step})
        assert answer.status_code == 409
        assert "您看的是修改前的内容" in answer.content.decode()
    found.refresh_from_db()
    assert found.state == "proposed"


@pytest.mark.parametrize(
    ("who", "status"),
    [("office", 200), ("finance", 200), ("auditor", 403), ("leading", 403), ("contact", 403),
     ("city_officer", 403), ("evaluator_officer", 403), ("expert", 404), ("learner", 403)],
)  # fmt: skip
def test_who_may_act_for_the_province(world, client_for, who, status):
    found = agreed(world)
    client = client_for(getattr(world, who))
    for action in ("standard_file", "standard_return", "standard_refuse"):
        assert client.get(page_of(found, "standard-act", action)).status_code == status
    assert client.get(page_of(found, "standard-act", "standard_propose")).status_code in (403, 404)


def test_returned_it_is_mended_on_the_same_form_and_only_then(world, client_for):
    found = agreed(world)
    evaluator, office = client_for(world.evaluator_officer), client_for(world.office)
    assert evaluator.get(page_of(found, "standard-edit")).status_code == 409
    office.post(
        page_of(found, "standard-act", "standard_return"), {"comment": "请说明测算", "step": "confirm"}
    )
    assert "请说明测算" in evaluator.get(page_of(found)).content.decode()
    assert "280.00" in evaluator.get(page_of(found, "standard-edit")).content.decode()
    unchanged = evaluator.post(page_of(found, "standard-edit"), typed(world, basis=""))
    assert "内容与退回的相同" in unchanged.content.decode()
    evaluator.post(page_of(found, "standard-edit"), typed(world, amount="270", step="confirm"))
    found.refresh_from_db()
    assert (found.state, found.amount, found.consents.count()) == ("proposed", Decimal("270.00"), 0)
    evaluator.post(page_of(found, "standard-act", "standard_withdraw"), {"step": "confirm"})
    found.refresh_from_db()
    assert found.state == "withdrawn"


def test_standards_without_and_above_a_cap_are_found(world, client_for):
    cap(world, "200", level=world.level)
    above = standard(world, "280")
    other = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    free = standard(world, "280", certificate_level=other)
    within = standard(world, "200", NEXT_MONTH)
    client = client_for(world.auditor)
    found = {name: shown(client, STANDARDS, cap=name) for name in ("none", "above", "within")}
    assert found == {"none": [free], "above": [above], "within": [within]}
    assert "高于现行上限" in client.get(STANDARDS, {"cap": "above"}).content.decode().split("<tbody>")[1]
    assert "高于现行上限" not in client.get(STANDARDS, {"cap": "within"}).content.decode().split("<tbody>")[1]
    assert shown(client, STANDARDS, standing="coming") == [within]
    assert set(shown(client, STANDARDS, standing="in_force")) == {above, free}
    assert client.post(STANDARDS).headers["Content-Type"].startswith("application/vnd")


def test_levels_that_run_without_cap_standard_or_form_are_listed(world, client_for):
    idle = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    client = client_for(world.office)
    [row] = shown(client, GAPS)
    assert (row, row.form_label) == (world.level, "未登记")
    assert idle not in shown(client, GAPS)
    client.post(page_of(world.level, "exam-form"), {"exam_form": "practical"})
    assert shown(client, GAPS, lacks="form") == []
    cap(world, form="practical")
    assert shown(client, GAPS, lacks="cap") == []
    assert shown(client, GAPS, lacks="standard") == [world.level]
    cap(world)
    standard(world)
    assert shown(client, GAPS) == []
    assert (
        "以现行备案标准为准"
        in client.post(page_of(world.level, "exam-form"), {"exam_form": "paper"}).content.decode()
    )


def test_the_public_sees_only_what_is_filed_and_holds_and_finds_it(world):
    standard(world, "100", DAY.replace(month=1), document="旧号")
    standard(world, "280", document="现号")
    standard(world, "270", NEXT_MONTH, document="下号")
    standard(world, "999", organization=world.school_org, document="校号")
    standard(world, "111", state="proposed", document="")
    page = Client().get(PUBLIC).content.decode()
    assert [number in page for number in ("旧号", "现号", "下号", "校号")] == [False, True, False, False]
    assert "太原演示职业学校" not in page
    assert "现号" in Client().get(PUBLIC, {"q": "演示运维"}).content.decode()
    assert "没有符合条件" in Client().get(PUBLIC, {"q": "没有"}).content.decode()
    policy(scope="school")
    assert "校号" in Client().get(PUBLIC).content.decode()
    assert Client().post(PUBLIC).status_code == 405


@pytest.mark.parametrize("address", [CAPS, STANDARDS, GAPS, PUBLIC])
def test_a_list_asks_the_same_for_one_and_for_three(world, client_for, address):
    client = client_for(world.office)

    def one_more(level, number):
        world.add_programme(world.school, level)
        cap(world, day=NEXT_MONTH, level=level)
        standard(world, certificate_level=level, exam_form="paper", document=f"{number}号")

    def asked():
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    cap(world, day=NEXT_MONTH, level=world.level)
    standard(world, exam_form="paper")
    asked()  # the first request of a session also reads the clock's origin
    one = asked()
    for number in (1, 3):
        one_more(CertificateLevel.objects.create(certificate=world.certificate, level=number), number)
    assert asked() == one <= 20


def test_a_standards_page_asks_little(world, client_for):
    found = filed(world, day=DAY)
    client = client_for(world.office)
    client.get(page_of(found))
    with CaptureQueriesContext(connection) as queries:
        client.get(page_of(found))
    assert len(queries) <= 20


def test_what_was_typed_survives_a_lost_session(world, client_for):
    client = client_for(world.evaluator_officer)
    client.logout()
    client.post(NEW, typed(world), headers={"origin": "http://testserver"})
    client.force_login(world.evaluator_officer, backend="django.contrib.auth.backends.ModelBackend")
    assert "按实际成本测算" in client.get(NEW).content.decode()


def test_many_consents_are_counted_and_a_school_reads_only_its_own(world, client_for):
    found = agreed(world)
    services.agree(found, by=world.other_contact, at=clock.now())
    page = client_for(world.contact).get(page_of(found)).content.decode()
    assert "长治演示职业学校" not in page
    assert "太原演示职业学校，" in page
    assert "<strong>2</strong> 所" in page
    for who in (world.office, world.evaluator_officer):
        assert "长治演示职业学校，" in client_for(who).get(page_of(found)).content.decode()


def test_a_proposal_is_warned_of_a_day_past_and_of_costs_that_do_not_add_up(world, client_for):
    standard(world, "300", DAY - dt.timedelta(days=60))
    cost = f"cost_{CostElement.objects.create(name='阅卷').pk}"
    client = client_for(world.evaluator_officer)
    page = client.post(NEW, typed(world, effective_from="2020-11-17", **{cost: "200"})).content.decode()
    assert "生效日期 2020年11月17日 已过" in page
    assert "成本构成合计 200.00 元/人，与标准 280.00 元/人不等" in page
    assert "300.00 → 280.00 元/人" in page
    page = client.post(NEW, typed(world, **{cost: "280"})).content.decode()
    assert "已过" not in page
    assert "不等" not in page


def test_school_and_office_see_what_is_replaced_and_what_it_is_made_up_of(world, client_for):
    standard(world, "300")
    found = agreed(world, costs={CostElement.objects.create(name="阅卷"): Decimal("200")})
    filing = client_for(world.office).post(
        page_of(found, "standard-act", "standard_file"), {"document": "6号"}
    )
    for answer in (filing, client_for(world.other_contact).get(page_of(found))):
        page = " ".join(answer.content.decode().split())
        assert "300.00 → 280.00 元/人（原标准 演示备案〔2020〕1号，2020年11月18日起）" in page
        assert "阅卷 200.00，合计 200.00 元/人，与标准 280.00 元/人不等" in page


def test_a_school_says_no_with_its_reason_and_may_say_yes_later(world, client_for):
    found, school = proposed(world), client_for(world.contact)
    address = page_of(found, "standard-decline")
    assert address in school.get(page_of(found)).content.decode()
    form = school.get(address).context["form"]
    sent = {"comment": "高于本地物价", "read": form["read"].value()}
    assert school.post(address, sent | {"comment": ""}).status_code == 422
    for _ in range(2):
        assert school.post(address, sent)["Location"] == page_of(found)
    [event] = Event.objects.about(found).filter(action="fee_standard_declined")
    assert (event.reason, event.organization) == ("高于本地物价", world.school_org)
    assert (
        Notice.objects.filter(
            recipient=world.evaluator_officer, text__contains="不同意：高于本地物价"
        ).count()
        == 1
    )
    for client in (school, client_for(world.evaluator_officer), client_for(world.office)):
        assert "高于本地物价" in client.get(page_of(found)).content.decode()
    assert "高于本地物价" not in client_for(world.other_contact).get(page_of(found)).content.decode()
    assert school.post(page_of(found, "standard-agree")).status_code == 302
    assert school.post(address, sent).status_code == 409


def test_a_no_to_what_was_proposed_before_is_none_to_what_is_proposed_now(world, client_for):
    found, school = proposed(world), client_for(world.contact)
    address = page_of(found, "standard-decline")

    def says_no():
        read = school.get(address).context["form"]["read"].value()
        assert school.post(address, {"comment": "高于本地物价", "read": read}).status_code == 302
        return Event.objects.about(found).filter(action="fee_standard_declined").count()

    assert says_no() == 1
    assert school.get(page_of(found)).context["declined"].reason == "高于本地物价"
    world.at(clock.now() + dt.timedelta(minutes=5))
    mended(world, found)
    assert school.get(page_of(found)).context["declined"] is None
    assert says_no() == 2


def test_a_school_says_no_to_nothing_but_what_it_read_and_nobody_says_it_for_it(world, client_for):
    found, school = proposed(world), client_for(world.contact)
    address = page_of(found, "standard-decline")
    read = school.get(address).context["form"]["read"].value()
    for who in ("office", "evaluator_officer", "leader"):
        assert client_for(getattr(world, who)).get(address).status_code == 403
    mended(world, found)
    assert school.post(address, {"read": read, "comment": "太高"}).status_code == 409
    assert not Event.objects.filter(action="fee_standard_declined").exists()
