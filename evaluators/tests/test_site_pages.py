"""Pages of sites and coverage: who gets in, what is kept of what was typed, exports, no query per row."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import User
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.tests.test_attachments import png
from evaluators import permissions
from evaluators.models import ExamSite, SchoolPlace, SiteCondition
from evaluators.services import charges, sites
from evaluators.tests.siting import agreed, applied, condition, filed, standing

LIST, PUBLIC, CONDITIONS = (reverse(f"sites:{name}") for name in ("list", "public", "conditions"))
COVERAGE, GAPS, PAIRS = (reverse(f"sites:{name}") for name in ("coverage", "gaps", "side-by-side"))
NEAREST, PLACE, NEW, RULE = (
    reverse(f"sites:{name}") for name in ("nearest", "place", "condition-new", "rule")
)


def page(site, action=""):
    return reverse("sites:act", args=[site.pk, action]) if action else reverse("sites:detail", args=[site.pk])


def text(response):
    return response.content.decode()


def typed(against, **changes):
    return {
        "name": "太原演示考点",
        "address": "演示路1号",
        "places": "40",
        "equipment": "机房三间",
        "item_0": "有三间",
        "item_1": "已覆盖",
        "condition": against.pk,
        **changes,
    }


def sheet(response):
    return list(load_workbook(io.BytesIO(response.content)).active.values)


# --- The public page


def test_a_stranger_reads_conditions_and_filed_sites_only(world):
    site = applied(world)
    shown = text(Client().get(PUBLIC))
    assert "机房不少于两间" in shown
    assert site.name not in shown
    sites.agree(site, by=world.evaluator_officer, at=clock.now())
    sites.file(site, by=world.office, at=clock.now())
    shown = text(Client().get(PUBLIC))
    assert "太原演示考点，演示路1号，考位 40 个" in shown
    assert "data-print" in shown
    assert world.contact.name not in shown


def test_the_public_search_by_certificate_and_city(world):
    filed(world)
    standing(world, world.other_school)
    assert "演示考点" in text(Client().get(PUBLIC, {"q": "运维"}))
    assert "没有符合条件的证书" in text(Client().get(PUBLIC, {"q": "没有的"}))
    here = text(Client().get(PUBLIC, {"city": world.other_city.pk}))
    assert "长治演示职业学校 考点" in here
    assert "太原演示考点" not in here
    assert Client().get(PUBLIC, {"city": "x"}).status_code == 200


def test_the_public_page_asks_the_same_for_one_and_for_many(world):
    def queries():
        with CaptureQueriesContext(connection) as found:
            Client().get(PUBLIC)
        return len(found)

    filed(world)
    one = queries()
    for number in range(3):
        other = Certificate.objects.create(name=f"证书{number}", owner=world.evaluator_org)
        standing(world, certificate=other)
        standing(world, world.other_school, certificate=other)
    assert queries() == one <= 8


# --- Conditions


def test_an_evaluator_publishes_and_others_may_not(world, client_for):
    client = client_for(world.evaluator_officer)
    asked = {"certificate": world.certificate.pk, "text": "一\n二", "minimum_places": "5"}
    response = client.post(NEW, asked)
    made = SiteCondition.objects.get()
    assert response["Location"] == reverse("sites:condition", args=[made.pk])
    again = text(client.get(f"{NEW}?certificate={world.certificate.pk}"))
    assert "一\n二" in again
    for who in (world.office, world.contact, world.city_officer):
        assert client_for(who).get(NEW).status_code == 403
        assert client_for(who).get(CONDITIONS).status_code == 200


def test_a_condition_of_another_owner_is_not_offered(world, client_for):
    other = Certificate.objects.create(
        name="别家证书", owner=world.bureau.__class__.objects.create(kind="evaluator", name="别家", code="E9")
    )
    asked = {"certificate": other.pk, "text": "一", "minimum_places": "5"}
    response = client_for(world.evaluator_officer).post(NEW, asked)
    assert response.status_code == 422
    assert not SiteCondition.objects.exists()


def test_an_earlier_condition_points_to_the_one_of_now(world, client_for):
    old = condition(world)
    condition(world, text="新条件")
    shown = text(client_for(world.contact).get(reverse("sites:condition", args=[old.pk])))
    assert "已被" in shown
    assert "机房不少于两间" in shown


# --- Applying


def test_a_school_applies_beside_the_condition(world, client_for):
    against, client = condition(world), client_for(world.contact)
    address = reverse("sites:apply", args=[world.certificate.pk])
    shown = text(client.get(address))
    assert "考位不少于 <strong>20</strong> 个" in shown
    assert "1. 机房不少于两间" in shown
    photo = SimpleUploadedFile("机房.png", png())
    response = client.post(address, typed(against, files=photo))
    site = ExamSite.objects.get()
    assert response["Location"] == page(site)
    shown = text(client.get(page(site)))
    assert "机房.png" in shown
    assert "已覆盖" in shown
    assert "待演示评价组织办理" in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"places": "19"}, "条件要求考位不少于 20 个"),
        ({"places": "0"}, "考位至少为 1"),
        ({"item_1": ""}, "请说明第 2 条"),
        ({"latitude": "37.1"}, "要么都填"),
        ({"latitude": "97.1", "longitude": "112"}, "90"),
        ({"name": ""}, "请填写站点名称"),
    ],
)
def test_what_is_refused_comes_back_with_all_that_was_typed(world, client_for, changes, words):
    against = condition(world)
    given = typed(against, equipment="打过的字不能丢", **changes)
    given["files"] = SimpleUploadedFile("机房.png", png())
    response = client_for(world.contact).post(reverse("sites:apply", args=[world.certificate.pk]), given)
    assert response.status_code == 422
    assert words in text(response)
    assert "打过的字不能丢" in text(response)
    assert "选过的文件没有保留，请重新选择（机房.png）。" in text(response)
    assert "文件没有保存" not in text(response)
    assert not ExamSite.objects.exists()


def test_a_condition_that_changed_meanwhile_is_shown_and_not_passed_over(world, client_for):
    old = condition(world)
    condition(world, text="新的一条\n新的二条")
    client, address = client_for(world.contact), reverse("sites:apply", args=[world.certificate.pk])
    response = client.post(address, typed(old))
    assert response.status_code == 422
    assert "已换成新条件" in text(response)
    assert "新的二条" in text(response)
    now = SiteCondition.objects.current().get()
    assert client.post(address, typed(now)).status_code == 302


def test_typed_text_outlives_the_session(world, client_for):
    against = condition(world)
    address = reverse("sites:apply", args=[world.certificate.pk])
    gone = Client(headers={"Origin": "http://testserver"})
    gone.post(address, typed(against, equipment="打过的字不能丢"))
    gone.force_login(world.contact, "django.contrib.auth.backends.ModelBackend")
    assert "打过的字不能丢" in text(gone.get(address))


def test_without_a_condition_the_page_says_so(world, client_for):
    response = client_for(world.contact).get(reverse("sites:apply", args=[world.certificate.pk]))
    assert response.status_code == 409
    assert "还没有公布这个证书的考核站点条件" in text(response)
    assert client_for(world.contact).get(reverse("sites:apply", args=[0])).status_code == 404


def test_a_returned_one_is_mended_by_its_school_alone(world, client_for):
    site = applied(world)
    edit = reverse("sites:edit", args=[site.pk])
    assert client_for(world.contact).get(edit).status_code == 409
    sites.send_back(site, comment="补照片", by=world.evaluator_officer, at=clock.now())
    shown = text(client_for(world.contact).get(edit))
    assert "退回意见：补照片" in shown
    assert "有三间" in shown
    assert client_for(world.evaluator_officer).get(edit).status_code == 403
    assert client_for(world.other_contact).get(edit).status_code == 404
    client_for(world.contact).post(edit, typed(site.condition, places="50"))
    site.refresh_from_db()
    assert (site.state, site.places) == ("applied", 50)


def test_too_few_places_are_told_beside_the_other_faults(world, client_for):
    against = condition(world)
    address = reverse("sites:apply", args=[world.certificate.pk])
    wrong = typed(against, places="5", name="", item_1="")
    errors = client_for(world.contact).post(address, wrong).context["form"].errors
    assert set(errors) == {"name", "places", "item_1"}
    assert "不少于 20 个，填的是 5 个" in errors["places"][0]


# --- Steps


@pytest.mark.parametrize(
    ("stage", "action", "who", "given", "state"),
    [
        (applied, "agree", "evaluator_officer", {}, "agreed"),
        (applied, "return", "evaluator_officer", {"comment": "补"}, "returned"),
        (applied, "refuse", "evaluator_officer", {"comment": "不符"}, "refused"),
        (applied, "withdraw", "contact", {"comment": "改期"}, "ended"),
        (agreed, "file", "office", {}, "filed"),
        (agreed, "return", "office", {"comment": "补"}, "returned"),
        (filed, "end", "office", {"comment": "搬迁", "ended_on": "2020-11-18"}, "ended"),
        (filed, "ask-to-end", "contact", {"comment": "搬迁"}, "filed"),
    ],
)
def test_each_step_has_its_button_and_its_page(world, client_for, stage, action, who, given, state):
    site, client = stage(world), client_for(getattr(world, who))
    assert page(site, action) in text(client.get(page(site)))
    assert client.get(page(site, action)).status_code == 200
    if given:
        assert client.post(page(site, action), {}).status_code == 422
    assert client.post(page(site, action), given)["Location"] == page(site)
    site.refresh_from_db()
    assert site.state == state


def test_steps_of_others_and_out_of_turn(world, client_for):
    site = applied(world)
    assert client_for(world.office).post(page(site, "agree")).status_code == 403
    assert client_for(world.office).get(page(site, "file")).status_code == 409
    assert client_for(world.other_contact).get(page(site, "withdraw")).status_code == 404
    assert client_for(world.office).get(page(site, "nothing")).status_code == 404
    assert page(site, "file") not in text(client_for(world.contact).get(page(site)))


def test_a_page_read_before_the_school_applied_anew_agrees_to_nothing(world, client_for):
    site = applied(world)
    client = client_for(world.evaluator_officer)
    [read] = re.findall(r'name="version" value="(\d+)"', text(client.get(page(site, "agree"))))
    ExamSite.objects.filter(pk=site.pk).update(version=int(read) + 1)
    response = client.post(page(site, "agree"), {"version": read})
    assert response.status_code == 409
    assert "您看的是修改前的内容" in text(response)
    assert ExamSite.objects.get().state == "applied"


def test_before_it_ends_the_page_says_what_falls_to_zero(world, client_for):
    site = filed(world)
    shown = text(client_for(world.office).get(page(site, "end")))
    assert "撤销后归零" in shown
    assert "开设院校 1 所、2020年计划 100 人" in shown
    assert "全省没有其他站点" in shown
    standing(world, world.other_school)
    assert "距离不详" in text(client_for(world.contact).get(page(site)))


def test_history_and_comments_are_for_those_concerned(world, client_for):
    site = filed(world)
    assert "经过" in text(client_for(world.city_officer).get(page(site)))
    for who in (world.other_contact, world.expert, world.other_city_officer, world.coordinator):
        shown = text(client_for(who).get(page(site)))
        assert "经过" not in shown
        assert world.contact.name not in shown
    charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now())
    assert "经过" in text(client_for(world.coordinator).get(page(site)))


@pytest.mark.parametrize("make", [applied, filed])
def test_the_list_and_the_page_show_the_review_to_the_same_people(world, make):
    site, people = make(world), [value for value in vars(world).values() if isinstance(value, User)]
    province = {"office", "office2", "finance", "leading", "auditor"}
    concerned = province | {"contact", "leader", "city_officer", "evaluator_officer"}
    for more in (set(), {"coordinator"}):
        if more:
            charges.give(
                evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now()
            )
        seen = {user.username for user in people if permissions.may_see_review(user, site)}
        assert seen == concerned | more
        assert seen == {user.username for user in people if ExamSite.objects.of_party(user).exists()}


@pytest.mark.parametrize("who", ["expert", "third_party"])
def test_to_work_for_the_province_is_not_to_supervise_its_schools(world, client_for, who):
    world.school_org.supervisor = world.province
    world.school_org.save()
    assert "经过" not in text(client_for(getattr(world, who)).get(page(filed(world))))


# --- Lists


def test_the_list_asks_the_same_for_one_and_for_three(world, client_for):
    client = client_for(world.office)

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert client.get(LIST).status_code == 200
        return len(found)

    filed(world)
    queries()
    one = queries()
    for number in range(2):
        standing(world, world.add_school(f"第{number}学校"))
    assert queries() == one <= 20


def test_the_list_is_searched_filtered_and_exported(world, client_for):
    site = filed(world)
    sites.ask_to_end(site, comment="搬迁", by=world.contact, at=clock.now())
    standing(world, world.other_school)
    client = client_for(world.office)

    def names(**asked):
        return [row.record.name for row in client.get(LIST, asked).context["table"].rows]

    assert len(names()) == 2
    assert names(q="长治") == ["长治演示职业学校 考点"]
    assert names(city=world.city.pk) == names(ending="asked") == ["太原演示考点"]
    assert names(state="applied") == []
    rows = sheet(client.post(f"{LIST}?q=长治"))
    assert len(rows) == 2
    assert rows[1][0] == "长治演示职业学校 考点"


def test_what_was_never_filed_does_not_read_as_a_revoked_site(world, client_for):
    withdrawn = sites.withdraw(agreed(world), comment="不办了", by=world.contact, at=clock.now())
    revoked = standing(world, world.other_school, state="ended", ended_on=clock.today(), end_reason="搬迁")
    client = client_for(world.office)
    for state, site, word in (("never_filed", withdrawn, "未备案，不再办理"), ("ended", revoked, "已撤销")):
        [row] = client.get(LIST, {"state": state}).context["table"].rows
        assert row.record == site
        assert word in sheet(client.post(f"{LIST}?state={state}"))[1]
    shown = text(client.get(page(withdrawn)))
    assert "未备案，不再办理" in shown
    assert "没有备案，11月18日（星期三）起不再办理：不办了" in shown
    assert "待省级备案 → 已撤回" in shown
    assert "撤销" not in shown
    assert "起撤销：搬迁" in text(client.get(page(revoked)))


# --- Coverage


@pytest.mark.parametrize("address", [COVERAGE, GAPS, PAIRS])
def test_who_sees_the_coverage(world, client_for, address):
    for who in (
        "office",
        "finance",
        "leading",
        "auditor",
        "coordinator",
        "city_officer",
        "evaluator_officer",
    ):
        assert client_for(getattr(world, who)).get(address).status_code == 200, who
    for who in ("contact", "leader", "expert", "third_party", "learner"):
        assert client_for(getattr(world, who)).get(address).status_code == 403, who


def test_the_table_its_gaps_and_its_export(world, client_for):
    standing(world)
    client = client_for(world.office)
    shown = text(client.get(COVERAGE))
    assert "1 校 100 人" in shown
    assert "缺考点" in shown
    assert "1 站 40 位" in shown
    assert "<strong>1</strong> 个缺口" in shown
    assert [gap.city for gap in client.get(GAPS).context["gaps"]] == ["长治市"]
    rows = sheet(client.post(COVERAGE))
    assert rows[-1][3:] == (2, 200, 1, 40, 1)
    assert sum(row[4] for row in rows[1:-1]) == rows[-1][4]
    assert [row[2] for row in sheet(client.post(GAPS))[1:-1]] == ["长治市"]


def test_the_table_narrowed_and_asked_nonsense(world, client_for):
    standing(world)
    client = client_for(world.office)
    assert client.get(COVERAGE, {"city": world.city.pk}).context["sum"].gaps == 0
    only = client.get(COVERAGE, {"only": "gaps"}).context
    assert (only["sum"].gaps, only["sum"].sites) == (1, 0)
    assert "没有符合条件" in text(client.get(COVERAGE, {"certificate": "x"}))
    assert client.get(COVERAGE, {"page": "x"}).status_code == 200


def test_a_city_sees_its_own_column(world, client_for):
    context = client_for(world.city_officer).get(COVERAGE).context
    assert [name for _, name in context["cities"]] == ["太原市"]
    assert "没有符合条件" in text(client_for(world.city_officer).get(COVERAGE, {"city": "140400"}))


def test_the_table_asks_the_same_however_large_and_comes_in_pages(world, client_for):
    client = client_for(world.office)

    def queries(address):
        with CaptureQueriesContext(connection) as found:
            response = client.get(address)
        return len(found), response

    client.get(COVERAGE)
    before = queries(COVERAGE)[0], queries(GAPS)[0]
    for number in range(35):
        certificate = Certificate.objects.create(name=f"证书{number:02}", owner=world.evaluator_org)
        level = CertificateLevel.objects.create(certificate=certificate, level=1)
        world.add_programme(world.school, level)
    after, response = queries(COVERAGE)
    assert (after, queries(GAPS)[0]) == before
    assert after <= 20
    assert response.context["count"] == 36
    assert text(response).count('<th scope="row">') == 30 + 1
    assert response.context["sum"].gaps == 37
    assert len(client.get(COVERAGE, {"page": 2}).context["rows"]) == 6


def test_the_rule_is_the_offices(world, client_for):
    assert client_for(world.city_officer).get(RULE).status_code == 403
    client = client_for(world.office)
    assert client.post(RULE, {"candidates_per_place": "0"}).status_code == 422
    assert client.post(RULE, {"candidates_per_place": "0.8"}).status_code == 302
    assert "低于 0.80" in text(client.get(PAIRS))


# --- A school


def test_a_school_sees_its_nearest_site_and_says_where_it_lies(world, client_for):
    standing(world, world.other_school, latitude="38", longitude="112")
    client = client_for(world.contact)
    assert "距离不详" in text(client.get(NEAREST))
    assert client.post(PLACE, {"latitude": "37"}).status_code == 422
    assert client.post(PLACE, {"latitude": "97", "longitude": "112"}).status_code == 422
    assert client.post(PLACE, {"latitude": "37", "longitude": "112"}).status_code == 302
    assert "111.2 公里" in text(client.get(NEAREST))
    assert client.post(PLACE, {"latitude": "", "longitude": ""}).status_code == 302
    assert SchoolPlace.objects.get().latitude is None


def test_only_a_school_has_a_nearest_site_and_only_its_contact_sets_the_place(world, client_for):
    assert client_for(world.leader).get(NEAREST).status_code == 200
    assert client_for(world.leader).get(PLACE).status_code == 403
    for who in (world.office, world.city_officer, world.evaluator_officer, world.learner):
        assert client_for(who).get(NEAREST).status_code == 403
        assert client_for(who).get(PLACE).status_code == 403


def test_a_school_with_two_certificates_is_two_only_in_the_sum_of_both(world, client_for):
    other = Certificate.objects.create(name="另一证书", owner=world.evaluator_org)
    world.add_programme(world.school, CertificateLevel.objects.create(certificate=other, level=1))
    page = client_for(world.evaluator_officer).get(COVERAGE).content.decode()
    rows, sums = page.split("<tfoot>")
    assert "2 校 " in rows
    assert "1 校 " in rows
    assert "校次" not in rows
    assert "3 校次 " in sums
    assert "可能多于试点院校数" in sums
