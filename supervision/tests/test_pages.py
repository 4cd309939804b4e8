"""Pages of the procedure: who sees what, what is refused with its reason, the record that speaks alone."""

import datetime as dt
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core import clock
from core.models import Attachment
from core.tests.test_attachments import png
from obligations import services as obligations
from obligations.models import Obligation
from supervision import services
from supervision.models import Case, CaseDecision, CaseDocument, FollowUp, Statement
from supervision.tests import cases
from supervision.workflow import procedure


def page(client, url):
    return client.get(url).content.decode()


def path(case, *parts):
    return "/".join(["/cases", str(case.pk), *parts, ""])


BY_OFFICE = [
    r.action for r in procedure.table if not r.by_job and r.action not in {"case_respond", "case_report"}
]


@pytest.mark.parametrize("action", sorted(set(BY_OFFICE) - {"case_investigate"}))
def test_each_skipped_step_is_refused_by_the_page_with_its_reason(world, client_for, action):
    case = cases.flagged(world)
    client = client_for(world.office2)
    for answer in [
        client.get(path(case, "act", action)),
        client.post(path(case, "act", action), {"reasons": "x"}),
    ]:
        assert answer.status_code == 409
        assert "现在是“已触发”，只有在“" in answer.content.decode()
    assert Case.objects.get().state == "flagged"


def test_acts_of_the_clock_and_of_others_are_refused(world, client_for):
    case = cases.notified(world)
    office = client_for(world.office)
    for action in ["case_lapse", "case_overdue"]:
        refusal = office.post(path(case, "act", action))
        assert refusal.status_code == 403
        assert "由平台按时限办理" in refusal.content.decode()
    assert office.get(path(case, "act", "case_nonsense")).status_code == 404
    assert office.post(path(case, "statement", "check")).status_code == 403
    assert client_for(world.contact).post(path(case, "act", "case_revoke")).status_code == 403
    assert client_for(world.city_officer).post(path(case, "act", "case_revoke")).status_code == 403


def test_the_proposer_reads_why_the_decision_is_not_hers(world, client_for):
    case = cases.settled(world, cases.lapsed(world))
    proposers = page(client_for(world.office), path(case))
    assert "提出处理意见的人不作决定" in proposers
    assert path(case, "act", "case_revoke") not in proposers
    refusal = client_for(world.office).post(
        path(case, "act", "case_revoke"), {"reasons": "x", "checked": "on"}
    )
    assert refusal.status_code == 403
    assert path(case, "act", "case_revoke") in page(client_for(world.office2), path(case))


def test_the_whole_way_by_pages(world, client_for):
    """School, proposer and decider, as the browser posts; the counts are of the records made."""
    case = cases.flagged(world)
    proposer, decider, school = (client_for(u) for u in (world.office, world.office2, world.contact))
    assert proposer.post(path(case, "act", "case_investigate"), {"comment": ""}).status_code == 302
    blocked = page(proposer, path(case))
    assert "还没有导入国家平台" in blocked
    assert "晋教职成〔2020〕9号 四.3" in blocked
    assert proposer.post(path(case, "certify-platform"), {"reason": "查无填报"}).status_code == 302
    assert proposer.post(path(case, "act", "case_notify"), {"days": "7"}).status_code == 302
    mine = page(school, path(case))
    assert "11月27日（星期五）18:00" in mine
    assert "还剩" in mine
    assert "推进办告〔2020〕1号" in mine
    upload = SimpleUploadedFile("停电.png", png())
    saved = school.post(path(case, "statement"), {"text": "连续停电，无法上网", "files": upload})
    assert saved["Location"] == path(case, "statement", "check")
    assert "停电.png" in page(school, path(case, "statement", "check"))
    assert "连续停电" not in page(decider, path(case))
    sent = school.post(path(case, "statement", "check"))
    receipt = Statement.objects.get().receipt
    assert sent["Location"] == f"/cases/statements/{receipt}/"
    assert school.post(path(case, "statement", "check"))["Location"] == sent["Location"]
    assert receipt in page(school, sent["Location"])
    assert "连续停电" in page(decider, path(case))
    to_decide = page(decider, path(case))
    assert to_decide.count("还有 1 个试点项目没有写") == 1
    assert path(case, "act", "case_rectify") in to_decide
    way = {f"way-{world.programme.pk}": "转入邻校"}
    assert decider.post(path(case, "students"), way).status_code == 302
    form = {"reasons": "停电属实，但未按要求补报"}
    assert "请改正后再提交" in decider.post(path(case, "act", "case_revoke"), form).content.decode()
    assert decider.post(path(case, "act", "case_revoke"), form | {"checked": "on"}).status_code == 302
    assert CaseDecision.objects.get().decided_by == world.office2
    ended = page(school, path(case))
    assert "取消试点资格" in ended
    assert "推进办决〔2020〕1号" in ended
    task = FollowUp.objects.get(kind="circular")
    assert "通报全省" in page(decider, "/cases/follow-ups/?done=0")
    assert decider.post(f"/cases/follow-ups/{task.pk}/done/", {"note": "已发文"}).status_code == 302
    assert (
        decider.post(path(case, "act", "case_reverse"), {"reasons": "复核属实", "checked": "on"}).status_code
        == 302
    )
    assert "撤销原决定" in page(school, path(case))


def test_the_school_sees_its_own_and_nobody_elses(world, client_for):
    case = cases.responded(world)
    document = CaseDocument.objects.get()
    statement = Statement.objects.get()
    files = [document.file, Attachment.objects.of(statement).get()]
    for user, status in [
        (world.contact, 200),
        (world.leader, 200),
        (world.city_officer, 200),
        (world.office2, 200),
        (world.other_contact, 404),
        (world.other_city_officer, 404),
        (world.learner, 404),
        (world.evaluator_officer, 404),
    ]:
        client = client_for(user)
        for url in [
            path(case),
            path(case, "record"),
            f"{path(case)}record.json",
            f"/cases/statements/{statement.receipt}/",
        ]:
            assert client.get(url).status_code == status, (user, url)
        for file in files:
            response = client.get(f"/files/{file.pk}/")
            if response.streaming:
                b"".join(response.streaming_content)
            assert response.status_code == status, (user, file)


def test_a_draft_is_hidden_from_the_office_with_its_files(world, client_for):
    case = cases.notified(world)
    draft = services.save_statement(
        case, text="未定的话", by=world.contact, at=clock.now(), files=[cases.picture()]
    )
    file = Attachment.objects.of(draft).get()
    assert client_for(world.office).get(f"/files/{file.pk}/").status_code == 404
    assert "未定的话" not in page(client_for(world.office), path(case, "record"))
    school = client_for(world.leader)
    assert "未定的话" in page(school, path(case, "statement"))
    assert school.post(path(case, "statement", "files", str(file.pk), "discard")).status_code == 302
    assert not Attachment.objects.of(draft).exists()


def test_a_late_answer_is_told_why_not(world, client_for):
    case = cases.notified(world)
    school = client_for(world.contact)
    school.post(path(case, "statement"), {"text": "马上提交"})
    world.at(cases.ANSWER_ENDS)
    refusal = client_for(world.contact).post(path(case, "statement", "check"))
    assert refusal.status_code == 409
    assert "届满" in refusal.content.decode()


def test_a_case_is_opened_by_hand(world, client_for):
    office = client_for(world.office)
    good = {"school": world.school_org.pk, "ground": "forcing", "facts": "强制学生报考"}
    for nobody in ("无此校", str(world.bureau.pk), "9" * 40):
        assert "school" in office.post("/cases/new/", good | {"school": nobody}).context["form"].errors
    assert '<select name="school" data-search' in page(office, "/cases/new/")
    answer = office.post("/cases/new/", good | {"files": SimpleUploadedFile("证.png", png())})
    case = Case.objects.get()
    assert answer["Location"] == path(case)
    assert "证.png" in page(client_for(world.contact), path(case))
    assert "未结案件" in office.post("/cases/new/", good).content.decode()
    asked = page(office, f"/cases/new/?school={world.school_org.pk}")
    assert f'<option value="{world.school_org.pk}" selected>' in asked
    for user in [world.city_officer, world.contact]:
        assert client_for(user).get("/cases/new/").status_code == 403


def test_the_scan_of_the_stamped_paper(world, client_for):
    case = cases.notified(world)
    document = CaseDocument.objects.get()
    url = f"/cases/documents/{document.pk}/scan/"
    upload = {"files": SimpleUploadedFile("盖章.png", png())}
    assert client_for(world.contact).post(url, upload).status_code == 403
    assert client_for(world.other_contact).post(url, upload).status_code == 404
    upload = {"files": SimpleUploadedFile("盖章.png", png())}
    assert client_for(world.office).post(url, upload).status_code == 302
    assert "盖章.png" in page(client_for(world.contact), path(case))


@pytest.mark.parametrize("decided", [False, True])
def test_few_queries_at_each_stage(world, client_for, decided, django_assert_max_num_queries):
    case = cases.settled(world, cases.responded(world))
    if decided:
        due_at = clock.now() + dt.timedelta(days=9)
        services.rectify(case, reasons="整改", due_at=due_at, by=world.office2, at=clock.now())
    for user in [world.office2, world.contact, world.city_officer]:
        client = client_for(user)
        for url in [
            path(case),
            path(case, "record"),
            path(case, "students") if user == world.office2 else path(case),
        ]:
            client.get(url)
            with django_assert_max_num_queries(20):
                client.get(url)


# --- the school's lawyer, with the record and nothing else


def replay(record):
    """Counts as the clause reads: weeks missed in a row; a filed one breaks, an exempt or excused one is passed."""
    longest = current = []
    for week in sorted(record["weeks"], key=lambda w: w["due_at"]):
        if week["outcome"] in ("on_time", "late"):
            current = []
        elif week["outcome"] == "missed" and not week["excused_at"]:
            current = [*current, week]
            longest = max(current, longest, key=lambda weeks: sum(w["weeks"] for w in weeks))
    return [w["key"] for w in longest], sum(w["weeks"] for w in longest)


def test_the_record_alone_tells_who_what_when_which_clause_and_replays_the_streak(world, client_for):
    case = cases.revoked(world)
    record = json.loads(client_for(world.contact).get(f"{path(case)}record.json").content)
    assert (
        replay(record)
        == (list(cases.WEEKS), 3)
        == (record["standing"]["counted"], record["standing"]["weeks"])
    )
    told = {event["action"]: event for event in record["events"]}
    assert next(iter(told)) == "case_flagged"
    assert told["case_notify"]["by"] == world.office.label
    assert told["case_revoke"]["by"] == world.office2.label
    assert told["case_lapse"]["by"] == "平台定时任务"
    assert told["case_revoke"]["changes"]["依据"] == "教职成厅函〔2019〕19号 五(四)"
    assert dt.datetime.fromisoformat(told["case_lapse"]["at"]) == cases.ANSWER_ENDS
    steps = [(e["from"], e["to"]) for e in record["events"] if e["from"]]
    assert steps == [
        ("flagged", "investigating"),
        ("investigating", "notified"),
        ("notified", "lapsed"),
        ("lapsed", "decided"),
    ]
    missed = [e for e in record["week_events"] if e["action"] == "obligation_missed"]
    assert len(missed) == 3
    for document, kind in zip(record["documents"], ["告知书", "决定书", "取消资格通报"], strict=True):
        stored = CaseDocument.objects.get(number=document["number"])
        assert (document["kind"], document["sha256"]) == (kind, stored.file.sha256)
    assert record["terms"][0]["due_at"] == cases.ANSWER_ENDS.astimezone(dt.UTC).isoformat()


def test_the_record_follows_an_excuse(world, client_for):
    case = cases.certified(world)
    obligations.excuse(world.owed(world.school, "2020-W45"), reason="停电", by=world.office, at=clock.now())
    record = json.loads(client_for(world.office).get(f"{path(case)}record.json").content)
    assert replay(record) == (["2020-W44", "2020-W46"], 2)
    assert record["standing"] == {"weeks": 2, "counted": ["2020-W44", "2020-W46"], "skipped": ["2020-W45"]}
    assert [e["reason"] for e in record["week_events"] if e["action"] == "obligation_excused"] == ["停电"]
    assert record["evidence"][1]["excused_at"] == ""


def test_a_filed_week_before_the_evidence_is_part_of_the_record(world, client_for):
    period = world.add_week("2020-W43")
    row = Obligation.objects.get(period=period, organization=world.school_org)
    obligations.fulfil(row, received_at=row.opens_at)
    case = cases.flagged(world)
    record = json.loads(client_for(world.office).get(f"{path(case)}record.json").content)
    assert [w["key"] for w in record["weeks"]] == ["2020-W43", *cases.WEEKS]
    assert replay(record)[1] == 3
