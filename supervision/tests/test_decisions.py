"""Decisions: what a revocation ends and sets in motion, its papers, its reversal, races."""

import datetime as dt
import hashlib
import io
import threading
import zipfile

import docx
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.urls import reverse

from core import clock
from core.attachments import check, content_of
from core.models import AppendOnly, Attachment, Event, Notice
from core.tests.test_attachments import pdf
from core.workflow import NotNow
from evaluators.models import ExamSite
from evaluators.services import sites
from evaluators.services.sites.duties import duties_of, owe
from evaluators.tests import siting
from obligations.models import Obligation
from schools.models import Programme
from supervision import services, students
from supervision.models import Case, CaseDecision, CaseDocument, FollowUp, WayOut
from supervision.tests import cases


def text_of(document):
    """All that the Word file says, tables too."""
    paper = docx.Document(io.BytesIO(content_of(document.file)))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(p.text for p in paper.paragraphs), *cells])


def test_revocation_waits_for_the_students_way_out(world):
    case = cases.lapsed(world)
    with pytest.raises(NotNow, match="安置办法"):
        services.revoke(case, reasons="三周未报", by=world.office2, at=clock.now())
    with pytest.raises(ValidationError):
        services.write_ways_out(case, texts={world.programme.pk: " "}, by=world.office, at=clock.now())
    with pytest.raises(PermissionDenied):
        services.write_ways_out(case, texts={world.programme.pk: "x"}, by=world.contact, at=clock.now())
    cases.settled(world, case)
    assert WayOut.objects.get().text == "转入邻校完成考核"
    assert services.revoke(case, reasons="三周未报", by=world.office2, at=clock.now()).kind == "revoked"


def test_the_figures_come_from_whoever_registered(world, monkeypatch):
    monkeypatch.setattr(students, "_providers", [lambda ids: {pk: {"在训人数": 40} for pk in ids}])
    case = cases.settled(world, cases.lapsed(world))
    assert students.concerned(case, clock.now())[0].figures == {"在训人数": 40}
    assert WayOut.objects.get().figures == {"在训人数": 40}


def test_revocation_ends_what_it_must_from_that_instant_and_no_more(world):
    case = cases.settled(world, cases.lapsed(world))
    at = clock.now()
    world.add_week("2020-W48")
    assert world.owed(world.school, "2020-W48").due_at == at
    world.add_week("2020-W49")
    services.revoke(case, reasons="三周未报，未作说明", by=world.office2, at=at)
    organization = world.school_org
    assert organization.memberships.get().left_at == at
    assert Programme.objects.get(school=organization.pk).ended_at == at
    later, due_now = world.owed(world.school, "2020-W49"), world.owed(world.school, "2020-W48")
    assert (later.outcome, later.exempt_reason) == ("exempt", "试点资格已取消")
    assert due_now.outcome == "pending"
    assert (
        Obligation.objects.filter(organization=organization, outcome="missed", kind="weekly_report").count()
        == 3
    )
    assert world.owed(world.other_school, "2020-W49").outcome == "pending"
    world.at("2020-12-01T09:00:00+08:00")
    world.add_week("2020-W50")
    assert not Obligation.objects.filter(organization=organization, key="2020-W50").exists()
    kinds = set(FollowUp.objects.filter(case=case, done_at=None).values_list("kind", flat=True))
    assert kinds == {"recovery", "accountability", "circular"}


def test_revocation_ends_exam_sites_and_stops_applications(world, client_for):
    certificate = world.evaluator_org.certificates.create(name="第二演示职业技能等级证书")
    site = siting.filed(world)
    asked = siting.standing(world, certificate=certificate, state="agreed", filed_at=None)
    owe(asked, world.province, "考核站点备案", clock.now())
    elsewhere = siting.filed(world, by=world.other_contact)
    case = cases.settled(world, cases.lapsed(world))
    page = reverse("supervision:act", args=[case.pk, "case_revoke"])
    assert {row.pk for row in client_for(world.office2).get(page).context["sites"]} == {site.pk, asked.pk}
    with pytest.raises(NotNow, match="学校仍在试点中"):
        sites.lapse(asked, comment="x", by=world.office, at=clock.now())
    decision = services.revoke(case, reasons="三周未报", by=world.office2, at=clock.now())
    ended = ExamSite.objects.filter(state="ended", ended_at=decision.decided_at)
    assert {row.end_reason for row in ended} == {"学校已退出试点"}
    assert set(ended) == {site, asked}
    assert list(ExamSite.objects.filed()) == [elsewhere]
    actions = Event.objects.filter(action__in=["site_end", "site_lapse"]).values_list("action", flat=True)
    assert sorted(actions) == ["site_end", "site_lapse"]
    assert duties_of(asked).get().outcome == "exempt"
    told = Notice.objects.filter(text__contains="学校已退出试点", key__startswith="site:")
    assert {notice.recipient for notice in told} == {world.contact, world.evaluator_officer}
    assert told.count() == 4


def test_follow_ups_are_done_with_a_word_and_once(world):
    cases.revoked(world)
    task = FollowUp.objects.get(kind="recovery")
    for refused in [" ", ""]:
        with pytest.raises(ValidationError):
            services.finish_follow_up(task, note=refused, by=world.office, at=clock.now())
    with pytest.raises(PermissionDenied):
        services.finish_follow_up(task, note="已收回", by=world.city_officer, at=clock.now())
    services.finish_follow_up(task, note="已收回5万元", by=world.office, at=clock.now())
    assert (task.done_by, task.done_at) == (world.office, clock.now())
    with pytest.raises(ValidationError, match="已经办结"):
        services.finish_follow_up(task, note="再来", by=world.office, at=clock.now())


# --- papers


def test_the_notice_says_facts_clause_hearing_and_the_hour(world):
    cases.notified(world)
    notice = CaseDocument.objects.get()
    said = text_of(notice)
    assert (notice.kind, notice.number) == ("notice", "推进办告〔2020〕1号")
    for words in [
        notice.number,
        "太原演示职业学校：",
        "2020年第44周、2020年第45周、2020年第46周",
        "连续 3 周",
        "推进试点工作不力、进展缓慢，连续三周不填报周报的",
        "教职成厅函〔2019〕19号",
        "陈述、申辩的权利",
        "7 个工作日",
        "2020年11月27日（星期五）18:00",
        "山西省推进办",
        "2020年11月18日",
        "盖章",
    ]:
        assert words in said, words
    assert "演示\n" not in said


def test_the_clause_is_quoted_as_it_was_published():
    """MOE 五(四), word for word, its half-width commas too."""
    from supervision.wording import QUOTED

    assert QUOTED.startswith("试点院校出现以下情况之一的,省级教育行政部门取消参与试点资格:")
    assert Case.Ground.values == ["not_reporting", "lax_management", "funds", "forcing", "other"]


def test_a_demonstration_says_so_on_its_papers(world):
    world.school_org.is_demonstration = True
    world.school_org.save()
    cases.notified(world)
    assert text_of(CaseDocument.objects.get()).startswith("演示\n")


def test_the_papers_of_a_revocation(world):
    cases.revoked(world)
    decision, circular = CaseDocument.objects.get(kind="decision"), CaseDocument.objects.get(kind="circular")
    said = text_of(decision)
    for words in [
        "推进办决〔2020〕1号",
        "三周未报，未作说明",
        "你校未提交陈述申辩",
        "取消你校1+X证书制度试点资格",
        "行政复议",
        "行政诉讼",
        "六十日",
        "复核",
        "收回专项资金",
        "转入邻校完成考核",
    ]:
        assert words in said, words
    told = text_of(circular)
    for words in ["推进办通〔2020〕1号", "各市教育局", "转入邻校完成考核", "通报全省", "连续三周"]:
        assert words in told, words


def test_the_decision_tells_of_the_answer(world):
    case = cases.responded(world)
    services.dismiss(case, reasons="停电属实", by=world.office2, at=clock.now())
    said = text_of(CaseDocument.objects.get(kind="decision"))
    assert case.answer_term.statement.receipt in said
    assert "停电属实" in said


def test_papers_are_frozen_with_their_hash_and_stamped_scans_stand_beside(world):
    cases.notified(world)
    document = CaseDocument.objects.get()
    content = content_of(document.file)
    assert hashlib.sha256(content).hexdigest() == document.file.sha256
    check(SimpleUploadedFile("告知书.docx", content))
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    services.attach_scan(
        document, upload=SimpleUploadedFile("盖章.pdf", pdf()), by=world.office, at=clock.now()
    )
    assert [scan.name for scan in document.scans] == ["盖章.pdf"]
    with pytest.raises(PermissionDenied):
        services.attach_scan(
            document, upload=SimpleUploadedFile("假.pdf", pdf()), by=world.contact, at=clock.now()
        )
    logged = Event.objects.get(action="document_issued").changes
    assert logged["SHA-256"] == document.file.sha256


def test_numbers_run_by_kind_and_year(world):
    for ground in ["funds", "forcing"]:
        case = services.investigate(cases.by_hand(world, ground), by=world.office, at=clock.now())
        services.notify(case, by=world.office, at=clock.now())
    at = world.at("2021-01-04T10:00:00+08:00")
    case = services.investigate(cases.by_hand(world, "other"), by=world.office, at=at)
    services.notify(case, by=world.office, at=at)
    assert list(CaseDocument.objects.values_list("number", flat=True)) == [
        "推进办告〔2020〕1号",
        "推进办告〔2020〕2号",
        "推进办告〔2021〕1号",
    ]


def test_markup_and_control_characters_stay_words(world):
    case = services.open_case(
        organization=world.school_org,
        ground="other",
        facts="<w:p/>\x01&出事",
        files=[cases.picture()],
        by=world.office,
        at=clock.now(),
    )
    services.investigate(case, by=world.office, at=clock.now())
    services.notify(case, by=world.office, at=clock.now())
    assert "<w:p/>&出事" in text_of(CaseDocument.objects.get())


# --- reversal


def test_a_reversal_keeps_history_and_brings_back_what_was_ended(world):
    case = cases.revoked(world)
    old = case.current_decision
    services.finish_follow_up(
        FollowUp.objects.get(kind="recovery"), note="已收回", by=world.office, at=clock.now()
    )
    at = world.at("2020-12-15T10:00:00+08:00")
    with pytest.raises(PermissionDenied, match="提出处理意见的人"):
        services.reverse(case, reasons="x", by=world.office, at=at)
    new = services.reverse(case, reasons="国家平台确有填报", by=world.office2, at=at)
    assert (new.kind, new.supersedes, new.number) == ("reversed", old, 2)
    assert CaseDecision.objects.count() == 2
    joined = list(world.school_org.memberships.values_list("joined_at", "left_at"))
    assert joined[0][1] == old.decided_at
    assert joined[1] == (at, None)
    running = Programme.objects.running_at(at).get(school=world.school_org.pk)
    assert (running.certificate_level, running.started_at) == (world.level, at)
    assert "撤销2020年11月27日（星期五）18:00作出的" in text_of(
        CaseDocument.objects.filter(kind="decision").last()
    )
    open_ones = FollowUp.objects.filter(done_at=None)
    assert [f.kind for f in open_ones] == ["restore"]
    case.refresh_from_db()
    with pytest.raises(NotNow, match="现行决定没有使学校受不利处理"):
        services.reverse(case, reasons="x", by=world.office2, at=at)


def test_a_decision_is_never_rewritten(world):
    decision = cases.revoked(world).current_decision
    decision.reasons = "别的"
    with pytest.raises(AppendOnly):
        decision.save()


def test_a_decided_case_does_not_stand_in_the_way_of_a_new_one(world):
    case = cases.lapsed(world)
    services.dismiss(case, reasons="情有可原", by=world.office2, at=clock.now())
    assert cases.by_hand(world, "funds").pk != case.pk
    for user in [world.contact, world.city_officer, world.office]:
        assert Notice.objects.filter(recipient=user, key=f"case:{case.pk}:decided:1").exists()


# --- races


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestRaces:
    @pytest.fixture
    def world(self, transactional_db, world):
        return world

    def together(self, *jobs):
        """What each job gave or raised, in order."""
        gate, results = threading.Barrier(len(jobs)), [None] * len(jobs)

        def run(index, job):
            try:
                gate.wait(timeout=20)
                results[index] = job()
            except Exception as error:
                results[index] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return results

    def test_two_officers_decide_at_once(self, world):
        case = cases.settled(world, cases.lapsed(world))
        third = world.add_user("office", world.province, "office3")
        at = clock.now()
        results = self.together(
            lambda: services.revoke(Case.objects.get(pk=case.pk), reasons="甲", by=world.office2, at=at),
            lambda: services.dismiss(Case.objects.get(pk=case.pk), reasons="乙", by=third, at=at),
        )
        assert sorted(type(r).__name__ for r in results) == ["CaseDecision", "NotNow"]
        assert CaseDecision.objects.count() == 1
        assert CaseDocument.objects.filter(kind="decision").count() == 1
        revoked = CaseDecision.objects.get().kind == "revoked"
        assert FollowUp.objects.count() == (3 if revoked else 0)

    def test_the_answer_and_the_end_of_its_time(self, world):
        case = cases.notified(world)
        services.save_statement(case, text="属实", by=world.contact, at=clock.now())
        just = cases.ANSWER_ENDS - dt.timedelta(microseconds=1)
        results = self.together(
            lambda: services.send_statement(Case.objects.get(pk=case.pk), by=world.contact, at=just),
            lambda: services.advance(at=cases.ANSWER_ENDS),
        )
        case.refresh_from_db()
        sent = not isinstance(results[0], NotNow)
        assert case.state == ("responded" if sent else "lapsed")
        assert results[1] == (0 if sent else 1)
        assert Event.objects.filter(action__in=["case_respond", "case_lapse"]).count() == 1

    def test_two_papers_at_once_take_two_numbers(self, world):
        ready = [
            services.investigate(cases.by_hand(world, ground), by=world.office, at=clock.now())
            for ground in ["funds", "forcing", "other"]
        ]
        self.together(
            *[
                lambda c=c: services.notify(Case.objects.get(pk=c.pk), by=world.office, at=clock.now())
                for c in ready
            ]
        )
        assert sorted(CaseDocument.objects.values_list("sequence", flat=True)) == [1, 2, 3]
        assert Attachment.objects.filter(name__contains="告知书").count() == 3
