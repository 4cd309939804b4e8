"""Exam sites: conditions and their versions, applying, who decides when, ending, duties, refusals with clauses."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.services import end_membership
from certificates.models import Certificate
from core import clock
from core.models import Attachment, Event, Notice
from core.tests.test_attachments import png
from core.workflow import NotNow
from evaluators.models import EvaluatorFiling, ExamSite, SiteCondition
from evaluators.services import site_conditions, sites
from evaluators.tests.siting import agreed, applied, condition, fields, filed, standing
from evaluators.workflow import site as lifecycle
from obligations.models import CalendarDay, Obligation
from schools.models import Programme

CLAUSE = "教职成厅函〔2019〕19号 三(一)"


def duties(site):
    rows = Obligation.objects.filter(kind="site_review", key__startswith=f"site-{site.pk}-").order_by("key")
    return [(duty.organization.name, duty.outcome) for duty in rows]


def due(site):
    return Obligation.objects.pending().get(kind="site_review", key__startswith=f"site-{site.pk}-").due_at


def unfiled(world):
    EvaluatorFiling.objects.filter(pk=world.certificate.pk).update(accepted=None, state="submitted")


# --- Conditions


def test_a_newer_condition_takes_over_and_the_old_one_is_kept(world):
    first = condition(world)
    world.at("2020-11-19T10:00:00+08:00")
    second = condition(world, text="机房不少于三间\n\n  有备用电源 ")
    assert second.items == ["机房不少于三间", "有备用电源"]
    assert list(SiteCondition.objects.current()) == [second]
    assert SiteCondition.objects.filter(certificate=world.certificate).count() == 2
    event = Event.objects.about(second).get()
    assert event.changes["考核站点条件"] == [first.text, second.text]


def test_the_same_words_again_publish_nothing_new(world):
    assert condition(world) == condition(world)
    assert SiteCondition.objects.count() == 1


def test_an_answer_counts_for_the_application_that_was_read(world):
    site = applied(world)
    read = site.version
    sites.send_back(site, comment="补照片", by=world.evaluator_officer, at=clock.now(), version=read)
    sites.reapply(
        site, fields=fields(places=60), condition=site.condition, files=(), by=world.contact, at=clock.now()
    )
    for answer in (sites.agree, sites.send_back, sites.refuse):
        with pytest.raises(NotNow, match="您看的是修改前的内容"):
            answer(site, comment="好", by=world.evaluator_officer, at=clock.now(), version=read)
    done = sites.agree(site, by=world.evaluator_officer, at=clock.now(), version=read + 1)
    with pytest.raises(NotNow, match="您看的是修改前的内容"):
        sites.file(done, by=world.office, at=clock.now(), version=read)
    assert sites.file(done, by=world.office, at=clock.now(), version=read + 1).state == "filed"


def test_nothing_before_the_filing_is_accepted(world):
    published = condition(world)
    unfiled(world)
    with pytest.raises(ValidationError, match=r"晋教职成〔2020〕9号 三\.8"):
        condition(world, text="新条件")
    with pytest.raises(ValidationError, match=r"晋教职成〔2020〕9号 三\.8"):
        applied(world)
    assert list(SiteCondition.objects.all()) == [published]


def test_neither_agreed_nor_filed_when_the_filing_is_gone(world):
    site = applied(world)
    unfiled(world)
    with pytest.raises(NotNow, match=r"晋教职成〔2020〕9号 三\.8"):
        sites.agree(site, by=world.evaluator_officer, at=clock.now())


@pytest.mark.parametrize("who", ["office", "contact", "city_officer", "coordinator"])
def test_only_its_evaluator_publishes(world, who):
    with pytest.raises(PermissionDenied, match=CLAUSE.replace("(", r"\(").replace(")", r"\)")):
        site_conditions.publish_condition(
            world.certificate, text="条件", minimum_places=1, by=getattr(world, who), at=clock.now()
        )


# --- Applying


def test_an_application_is_told_and_owed_in_five_working_days(world):
    site = applied(world, files=[SimpleUploadedFile("机房.png", png())])
    assert (site.state, site.city, site.school) == ("applied", world.city, world.school)
    assert [answer.text for answer in site.answers] == ["有三间", "已覆盖"]
    assert Attachment.objects.of(site).count() == 1
    assert due(site) == dt.datetime.fromisoformat("2020-11-25T18:00:00+08:00")
    assert duties(site) == [("演示评价组织", "pending")]
    assert Notice.objects.filter(recipient=world.evaluator_officer, link=f"/sites/{site.pk}/").exists()


def test_working_days_pass_over_the_national_day(world):
    world.at("2020-09-30T10:00:00+08:00")
    for day in range(1, 9):
        CalendarDay.objects.create(day=dt.date(2020, 10, day), kind="holiday")
    CalendarDay.objects.create(day=dt.date(2020, 10, 10), kind="workday")
    assert due(applied(world)) == dt.datetime.fromisoformat("2020-10-14T18:00:00+08:00")


@pytest.mark.parametrize(("places", "accepted"), [(20, True), (19, False)])
def test_places_reach_the_minimum_or_are_refused_with_the_clause(world, places, accepted):
    if accepted:
        assert applied(world, places=places).places == 20
        return
    with pytest.raises(ValidationError) as refusal:
        applied(world, places=places)
    (text,) = refusal.value.message_dict["places"]
    assert "不少于 20 个，填的是 19 个" in text
    assert CLAUSE in text


@pytest.mark.parametrize("statements", [["有三间"], ["有三间", " "], []])
def test_each_item_is_answered(world, statements):
    with pytest.raises(ValidationError, match="逐项说明"):
        applied(world, statements=statements)


@pytest.mark.parametrize(
    ("latitude", "longitude"), [("91", "112"), ("37", "181"), ("37", None), (None, "112")]
)
def test_coordinates_lie_on_earth_and_come_in_twos(world, latitude, longitude):
    with pytest.raises(ValidationError):
        applied(world, latitude=latitude, longitude=longitude)


def test_the_same_form_again_is_the_same_site_and_another_is_refused(world):
    site = applied(world)
    assert applied(world) == site
    with pytest.raises(ValidationError, match="已申报或设有"):
        applied(world, places=41)
    assert ExamSite.objects.count() == 1


def test_who_is_not_in_the_pilot_does_not_apply(world):
    condition(world)
    world.school_org.memberships.update(left_at=clock.now())
    with pytest.raises(ValidationError, match="不在试点院校名单"):
        applied(world)


def test_who_is_put_out_while_the_application_waits_does_not_apply(world):
    condition(world)
    at = clock.now()
    world.at(at + dt.timedelta(seconds=2))
    end_membership(organization=world.school_org, at=clock.now(), by=world.office, reason="撤并")
    with pytest.raises(ValidationError, match="不在试点院校名单"):
        sites.apply(
            world.certificate,
            fields=fields(),
            condition=site_conditions.current_condition(world.certificate),
            files=(),
            by=world.contact,
            at=at,
        )


def test_a_membership_ended_by_hand_ends_the_schools_sites_and_stops_its_applications(world, client_for):
    filed_before = filed(world)
    elsewhere = filed(world, by=world.other_contact)
    second, third = [
        Certificate.objects.create(name=name, owner=world.evaluator_org) for name in ("第二证书", "第三证书")
    ]
    pending = standing(world, certificate=second, state="agreed", filed_at=None)
    world.at(clock.now() + dt.timedelta(days=3))
    filed_since = standing(world, certificate=third)
    world.at(clock.now() + dt.timedelta(days=1))
    left_on = clock.today() - dt.timedelta(days=2)
    leave, office = (
        reverse("accounts:organization-leave", args=[world.school_org.pk]),
        client_for(world.office),
    )
    shown = office.get(leave).content.decode()
    for line in (
        f"试点项目：{world.level}",
        f"考核站点：{filed_before}（{world.certificate}）",
        "第二证书），待省级备案",
    ):
        assert line in shown
    assert f"考核站点：{filed_since}（第三证书），撤销后太原市没有这个证书的站点" in shown
    answer = office.post(leave, {"day": left_on.isoformat(), "reason": "被举报，待查"})
    assert answer.status_code == 302
    for site, ended_on in ((filed_before, left_on), (filed_since, clock.today() - dt.timedelta(days=1))):
        site.refresh_from_db()
        assert (site.state, site.ended_on, site.end_reason) == ("ended", ended_on, "学校已退出试点")
    pending.refresh_from_db()
    assert (pending.state, pending.ended_on) == ("ended", clock.today())
    assert Event.objects.about(pending).last().action == "site_lapse"
    elsewhere.refresh_from_db()
    assert elsewhere.state == "filed"
    assert not Programme.objects.running_at(clock.now()).filter(school=world.school).exists()
    ended = Event.objects.filter(action="programme_ended").last()
    assert (ended.reason, ended.at) == ("学校已退出试点", clock.now())
    # Why the school left is for those who see the school.
    for user in (world.other_contact, world.expert, world.evaluator_officer, world.contact):
        assert (
            "待查"
            not in client_for(user).get(reverse("sites:detail", args=[filed_before.pk])).content.decode()
        )
    assert not Notice.objects.filter(text__contains="待查").exists()


def test_without_a_condition_nothing_to_apply_against(world):
    assert CLAUSE in sites.why_not_apply(world.contact, world.certificate, clock.now())


def test_a_condition_published_while_one_filled_in_is_not_passed_over(world):
    old = condition(world)
    condition(world, text="只有一条")
    with pytest.raises(ValidationError, match="刚刚公布了新的条件"):
        sites.apply(
            world.certificate, fields=fields(), condition=old, files=(), by=world.contact, at=clock.now()
        )


@pytest.mark.parametrize("who", ["leader", "office", "evaluator_officer", "city_officer"])
def test_only_a_contact_applies(world, who):
    condition(world)
    with pytest.raises(PermissionDenied):
        applied(world, by=getattr(world, who))


# --- Reviews


def test_from_application_to_file_each_duty_is_answered(world):
    site = applied(world)
    world.at("2020-11-20T10:00:00+08:00")
    sites.agree(site, by=world.evaluator_officer, at=clock.now())
    assert duties(site) == [("演示评价组织", "on_time"), ("山西省推进办", "pending")]
    assert due(site) == dt.datetime.fromisoformat("2020-11-27T18:00:00+08:00")
    world.at("2020-11-27T18:00:00+08:00")
    done = sites.file(site, by=world.office, at=clock.now())
    assert (done.state, done.filed_at) == ("filed", clock.now())
    assert duties(site) == [("演示评价组织", "on_time"), ("山西省推进办", "late")]
    assert Notice.objects.filter(recipient=world.contact, text__contains="已予以备案").exists()
    actions = list(Event.objects.about(site).values_list("action", flat=True))
    assert actions == ["site_applied", "site_agree", "site_file"]


@pytest.mark.parametrize(
    ("stage", "action", "who"),
    [
        (applied, "site_agree", "office"),
        (applied, "site_agree", "contact"),
        (applied, "site_return", "office"),
        (applied, "site_refuse", "office"),
        (agreed, "site_file", "evaluator_officer"),
        (agreed, "site_return", "evaluator_officer"),
        (agreed, "site_refuse", "evaluator_officer"),
        (agreed, "site_file", "city_officer"),
        (filed, "site_end", "contact"),
        (filed, "site_end", "evaluator_officer"),
    ],
)
def test_each_step_is_its_own_officers(world, stage, action, who):
    site = stage(world)
    given = {"comment": "原因"} | ({"ended_on": clock.today()} if action == "site_end" else {})
    with pytest.raises(PermissionDenied, match="教职成厅函"):
        lifecycle.run(action, site, by=getattr(world, who), at=clock.now(), **given)


@pytest.mark.parametrize(("stage", "who"), [(applied, "evaluator_officer"), (agreed, "office")])
def test_returned_mended_and_looked_at_anew(world, stage, who):
    site = stage(world)
    with pytest.raises(ValidationError, match="写明原因"):
        sites.send_back(site, comment=" ", by=getattr(world, who), at=clock.now())
    back = sites.send_back(site, comment="补照片", by=getattr(world, who), at=clock.now())
    assert (back.state, back.review_comment) == ("returned", "补照片")
    assert all(outcome == "on_time" for _, outcome in duties(site))
    newer = condition(world, text="只有一条", minimum_places=50)
    again = sites.reapply(
        site,
        fields=fields(places=60, statements=["够"]),
        condition=newer,
        files=(),
        by=world.contact,
        at=clock.now(),
    )
    assert (again.state, again.places, again.condition) == ("applied", 60, newer)
    assert duties(site)[-1] == ("演示评价组织", "pending")
    event = Event.objects.about(site).filter(action="site_reapply").get()
    assert event.changes["考位"] == ["40", "60"]


def test_refused_it_may_be_applied_for_anew(world):
    site = sites.refuse(applied(world), comment="不符", by=world.evaluator_officer, at=clock.now())
    assert site.state == "refused"
    assert applied(world) != site


def test_withdrawn_nobody_owes_anything(world):
    site = sites.withdraw(agreed(world), comment="改期", by=world.contact, at=clock.now())
    assert (site.state, site.filed_at, site.ended_on) == ("ended", None, clock.today())
    assert duties(site) == [("演示评价组织", "on_time"), ("山西省推进办", "exempt")]
    assert not ExamSite.objects.visible_to(world.other_contact).exists()


@pytest.mark.parametrize(("stage", "told"), [(applied, False), (agreed, True)])
def test_who_was_asked_to_act_is_told_that_it_is_off(world, stage, told):
    sites.withdraw(stage(world), comment="改期", by=world.contact, at=clock.now())
    texts = Notice.objects.filter(text__contains="撤回了考核站点", text__endswith="不用办理：改期")
    assert texts.filter(recipient=world.evaluator_officer).count() == 1
    assert texts.filter(recipient=world.office).exists() is told


@pytest.mark.parametrize(
    ("day", "refusal"), [("2020-11-19", "还没有到"), ("2020-11-17", "早于备案日期"), ("2020-11-18", "")]
)
def test_it_ends_on_a_day_between_filing_and_today(world, day, refusal):
    site, given = filed(world), {"ended_on": dt.date.fromisoformat(day), "comment": "搬迁"}
    if refusal:
        with pytest.raises(ValidationError, match=refusal):
            sites.end(site, **given, by=world.office, at=clock.now())
        return
    done = sites.end(site, **given, by=world.office, at=clock.now())
    assert (done.state, str(done.ended_on), done.end_reason) == ("ended", day, "搬迁")
    assert not ExamSite.objects.filed().exists()
    assert ExamSite.objects.visible_to(world.other_contact).get() == site


def test_the_school_asks_to_end_and_the_office_answers(world):
    site = filed(world)
    with pytest.raises(PermissionDenied):
        sites.ask_to_end(site, comment="搬迁", by=world.other_contact, at=clock.now())
    sites.ask_to_end(site, comment="搬迁", by=world.contact, at=clock.now())
    assert duties(site)[-1] == ("山西省推进办", "pending")
    with pytest.raises(NotNow, match="已经提出过"):
        sites.ask_to_end(site, comment="搬迁", by=world.contact, at=clock.now())
    with pytest.raises(PermissionDenied):
        sites.keep(site, comment="仍需要", by=world.contact, at=clock.now())
    kept = sites.keep(site, comment="仍需要", by=world.office, at=clock.now())
    assert (kept.state, kept.ending_asked_at) == ("filed", None)
    assert duties(site)[-1] == ("山西省推进办", "on_time")
    with pytest.raises(NotNow, match="没有待答复"):
        sites.keep(site, comment="仍需要", by=world.office, at=clock.now())


# --- Who sees it


@pytest.mark.parametrize("stage", [applied, agreed])
def test_until_it_is_filed_only_those_concerned_see_it(world, stage):
    site = stage(world)
    world.evaluator.charges.create(coordinator=world.coordinator, given_by=world.office, given_at=clock.now())
    seers = ["office", "auditor", "leading", "city_officer", "contact", "leader", "evaluator_officer"]
    for who in (*seers, "coordinator"):
        assert ExamSite.objects.visible_to(getattr(world, who)).get() == site, who
    for who in ("other_contact", "other_city_officer", "expert", "third_party", "learner"):
        assert not ExamSite.objects.visible_to(getattr(world, who)).exists(), who


def test_a_coordinator_sees_no_other_evaluators_applications(world):
    applied(world)
    assert not ExamSite.objects.visible_to(world.coordinator).exists()


def test_filed_all_who_work_here_see_it(world):
    site = filed(world)
    for who in ("other_contact", "other_city_officer", "expert", "coordinator"):
        assert ExamSite.objects.visible_to(getattr(world, who)).get() == site
    assert not ExamSite.objects.visible_to(world.learner).exists()


def test_another_certificate_is_another_site(world):
    other = Certificate.objects.create(name="另一证书", owner=world.evaluator_org)
    world.put_on_file(other)
    condition(world, certificate=other)
    applied(world)
    second = sites.apply(
        other,
        fields=fields(),
        condition=site_conditions.current_condition(other),
        files=(),
        by=world.contact,
        at=clock.now(),
    )
    assert second.certificate == other
