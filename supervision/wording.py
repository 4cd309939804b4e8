"""What the papers of a case say. The clause is quoted as published."""

import datetime as dt

from accounts.models import Organization
from core import clock
from core.documents import Paper
from core.templatetags.portal import WEEKDAYS
from supervision.evidence import standing_evidence
from supervision.models import Case, CaseDecision, CaseDocument, Statement

Kind = CaseDocument.Kind
QUOTED = "试点院校出现以下情况之一的,省级教育行政部门取消参与试点资格:{ground}{end}"
HEARING = (
    "你校对上述事实、理由和依据有陈述、申辩的权利。请在 {days} 个工作日内，即 {until} 之前，通过本平台"
    "“案件”页面提交书面意见和证据材料。逾期未提交的，视为放弃陈述申辩，推进办将依据现有证据作出决定。"
)
REMEDY = (
    "如不服本决定，可以自收到本决定书之日起六十日内依法申请行政复议，也可以自收到之日起六个月内依法向有"
    "管辖权的人民法院提起行政诉讼；还可以向推进办申请复核，复核不停止上述期限的计算。"
)
CIRCULAR_CLAUSE = "取消其试点工作资格，收回专项资金，追究主要责任人责任并通报全省"
SX = "《关于进一步做好山西省职业院校“1+X”证书制度试点工作的意见》（晋教职成〔2020〕9号）四.3"
MOE = "《关于推进1+X证书制度试点工作的指导意见》（教职成厅函〔2019〕19号）五(四)"


def title(case: Case, kind: str, decision: CaseDecision | None) -> str:
    if kind == Kind.NOTICE:
        return "关于拟对你校作出处理的告知书"
    if kind == Kind.CIRCULAR:
        return f"关于取消{case.organization}1+X证书制度试点资格的通报"
    words = {
        CaseDecision.Kind.REVOKED: "取消1+X证书制度试点资格决定书",
        CaseDecision.Kind.RECTIFY: "责令限期整改决定书",
        CaseDecision.Kind.DISMISSED: "不予处理决定书",
        CaseDecision.Kind.REVERSED: "复核决定书",
    }
    return words[CaseDecision.Kind(decision.kind)] if decision else "决定书"


def write(document: CaseDocument, *, issuer: Organization, days: int = 0) -> bytes:
    """The paper as Word."""
    case, decision = document.case, document.decision
    paper = Paper()
    if case.organization.is_demonstration or issuer.is_demonstration:
        paper.label("演示")
    paper.number(document.number)
    paper.title(document.title)
    if document.kind == Kind.NOTICE:
        _notice(paper, case, days)
    elif document.kind == Kind.CIRCULAR and decision:
        _circular(paper, case, decision)
    elif decision:
        _decision(paper, case, decision)
    paper.seal(issuer.name, clock.local(document.issued_at).date())
    return paper.content()


def full(instant: dt.datetime) -> str:
    """2020年11月27日（星期五）18:00: always with the year, as papers outlive it."""
    local = clock.local(instant)
    weekday = WEEKDAYS[local.weekday()]
    return f"{local.year}年{local.month}月{local.day}日（星期{weekday}）{local:%H:%M}"


def _facts(paper: Paper, case: Case) -> None:
    if not case.is_of_reporting:
        paper.paragraph(f"经调查核实：{case.facts}")
        return
    standing = standing_evidence(case)
    if not standing.suffices:
        flagged = "、".join(e.frozen["period"] for e in case.evidence.all())
        paper.paragraph(
            f"本案因你校{flagged}未报周报而触发。经核实，其中仍为未报且未获谅解的连续 {standing.weeks} 周，"
            "不足连续三周。"
        )
        return
    labels = "、".join(e.frozen["period"] for e in standing.run)
    paper.paragraph(f"经调查核实，你校{labels}的周报，至关闭时均未报送，未报累计连续 {standing.weeks} 周。")
    rows = [
        [
            e.frozen["period"],
            full(dt.datetime.fromisoformat(e.frozen["due_at"])),
            full(e.obligation.closes_at) if e.obligation.closes_at else "",
            f"{full(e.obligation.filled_at)}补报" if e.obligation.filled_at else "未补报",
        ]
        for e in standing.run
    ]
    paper.table(["周期", "截止", "关闭", "关闭以后"], rows, widths=[32, 42, 42, 40])
    if standing.skipped:
        skipped = "、".join(o.title for o in standing.skipped)
        paper.paragraph(f"其间{skipped}免报或已谅解，不计入；经办人已确认上述各周仍属连续三周。")
    if case.certified_at:
        paper.paragraph(
            f"国家平台：经办人于{full(case.certified_at)}核实，你校在国家平台上亦无上述各周的填报。"
        )
    else:
        paper.paragraph("国家平台：已导入该平台上述各周关闭以后的填报名单，名单中没有你校的填报。")


def _clause(paper: Paper, case: Case) -> None:
    end = "。" if case.ground == Case.Ground.OTHER else ";"  # the list's last item ends the sentence
    paper.paragraph(f"{MOE}规定：“{QUOTED.format(ground=case.get_ground_display(), end=end)}”")


def _notice(paper: Paper, case: Case, days: int) -> None:
    paper.addressee(f"{case.organization}：")
    paper.heading("一、事实")
    _facts(paper, case)
    paper.heading("二、依据")
    _clause(paper, case)
    paper.heading("三、拟作出的处理")
    paper.paragraph("拟依据上述规定作出处理，直至取消你校1+X证书制度试点资格。")
    paper.heading("四、陈述申辩")
    if case.answer_term:
        paper.paragraph(HEARING.format(days=days, until=full(case.answer_term.due_at)))


def _decision(paper: Paper, case: Case, decision: CaseDecision) -> None:
    paper.addressee(f"{case.organization}：")
    paper.heading("一、事实")
    _facts(paper, case)
    paper.heading("二、陈述申辩")
    paper.paragraph(_heard(case))
    paper.heading("三、理由和依据")
    paper.paragraph(decision.reasons)
    _clause(paper, case)
    paper.heading("四、决定")
    paper.paragraph(_resolved(case, decision))
    if decision.kind == CaseDecision.Kind.REVOKED:
        _ways_out(paper, case)
    paper.heading("五、救济途径")
    paper.paragraph(REMEDY)


def _heard(case: Case) -> str:
    if case.notified_at is None or case.answer_term is None:
        return "调查后未告知即结案，不涉及对你校不利的处理。"
    told = f"已于{full(case.notified_at)}告知你校。"
    answer = Statement.objects.filter(term=case.answer_term, sent_at__isnull=False).first()
    if answer and answer.sent_at:
        return f"{told}你校于{full(answer.sent_at)}提交陈述申辩（回执 {answer.receipt}），已经审查。"
    return f"{told}至{full(case.answer_term.due_at)}，你校未提交陈述申辩。"


def _resolved(case: Case, decision: CaseDecision) -> str:
    since = full(decision.decided_at)
    if decision.kind == CaseDecision.Kind.REVOKED:
        return (
            f"自{since}起取消你校1+X证书制度试点资格，各试点项目同时结束，此后不再承担报送义务；此前已经产生"
            f"的义务和已取得的成绩、证书、结算不受影响。并依据{SX}，{CIRCULAR_CLAUSE.split('，', 1)[1]}。"
            "在训、报考和参加考核的学生按下表安置。"
        )
    if decision.kind == CaseDecision.Kind.RECTIFY and case.rectification_term:
        return f"责令你校于{full(case.rectification_term.due_at)}前完成整改并提交整改报告；逾期的，重新作出决定。"
    if decision.kind == CaseDecision.Kind.REVERSED and decision.supersedes:
        return (
            f"撤销{full(decision.supersedes.decided_at)}作出的“{decision.supersedes}”决定。"
            f"原决定取消的试点资格和结束的试点项目自{since}起恢复。"
        )
    return "对你校不予处理，本案终结。"


def _circular(paper: Paper, case: Case, decision: CaseDecision) -> None:
    paper.addressee("各市教育局，各试点院校：")
    paper.paragraph(f"{case.organization}{_third_person(case)}")
    _clause(paper, case)
    paper.paragraph(f"{SX}规定，试点院校在推进试点工作不力或出现违纪违规情况的，“{CIRCULAR_CLAUSE}”。")
    paper.paragraph(
        f"推进办依法告知该校并保障其陈述申辩的权利后，于{full(decision.decided_at)}决定取消该校试点资格。现予通报。"
    )
    paper.paragraph("该校在训、报考和参加考核的学生按下表安置：")
    _ways_out(paper, case)


def _ways_out(paper: Paper, case: Case) -> None:
    ways = case.ways_out.select_related("programme__certificate_level__certificate")
    rows = [[str(way.programme), way.text] for way in ways]
    paper.table(["试点项目", "安置办法"], rows or [["没有试点项目", "不涉及学生"]], widths=[60, 96])


def _third_person(case: Case) -> str:
    if not case.is_of_reporting:
        return f"存在以下情况：{case.facts}"
    standing = standing_evidence(case)
    labels = "、".join(e.frozen["period"] for e in standing.run)
    return f"{labels}连续 {standing.weeks} 周未填报周报。"
