"""The rules for application items, each with its clause, in one list: RULES."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from core.templatetags.portal import full_day
from funding import fees
from schools import content as shape
from schools.clauses import HB, MOE, NO_TECHNICAL, SX
from schools.content import Facts, Problem
from schools.grounds import Ground, out_of_force
from schools.models import Agreement, ApplicationItem, ApplicationRound, ItemFile, School


def by(round: ApplicationRound) -> str:
    return f"（{round.document}）" if round.document else ""


def of_kind(round: ApplicationRound, school: School) -> list[str]:
    """Why a school of this kind cannot take part; []."""
    if "技工学校" in school.organization.name:
        return [
            f"技工学校不属于试点范围，不能申报（{NO_TECHNICAL}）。学校名称登记有误的，请联系省推进办更正。"
        ]
    if school.kind in round.kinds:
        return []
    kinds = "、".join(str(label) for kind, label in School.Kind.choices if kind in round.kinds)
    return [
        f"{round}面向{kinds}，贵校登记的办学类型是“{school.get_kind_display()}”，不能申报"
        f"{by(round) or f'（{HB} 二，按本批次设置）'}。办学类型登记有误的，请联系省推进办更正。"
    ]


@dataclass(frozen=True)
class Question:
    """One item as a rule sees it."""

    item: ApplicationItem
    facts: Facts
    ground: Ground

    @property
    def round(self) -> ApplicationRound:
        return self.item.application.round


Rule = Callable[[Question], Iterator[Problem]]


def _kind(asked: Question) -> Iterator[Problem]:
    for reason in of_kind(asked.round, asked.item.application.school):
        yield Problem("", reason)


def _in_pilot(asked: Question) -> Iterator[Problem]:
    if left_at := asked.ground.left_at:
        yield Problem(
            "",
            f"本校已于{full_day(left_at)}退出试点（{MOE} 五(四)：取消试点资格），此前开始的申报不再受理、批准。"
            "再次申报的，请在以后的批次另行申报。",
        )


def _running(asked: Question) -> Iterator[Problem]:
    if asked.item.is_renewal and not asked.ground.is_running:
        yield Problem(
            "",
            f"本校的试点项目已经结束，不能续报年度计划（{HB} 四.4）。请移除本项（提交过的撤回），重新添加后按新证书申报。",
        )


def _batch(asked: Question) -> Iterator[Problem]:
    certificate = asked.item.certificate_level.certificate
    is_closed = bool(certificate.batch) and certificate.batch in asked.round.closed_batches
    if is_closed and not asked.ground.knows_certificate:
        yield Problem(
            "",
            f"“{certificate.short_name}”是第{certificate.batch}批证书，本批次不再新增这一批证书的试点单位"
            f"（参照{HB} 四.4，由省推进办设定）。本校没有开展过这个证书，请移除本项（提交过的撤回）。",
        )


def _elsewhere(asked: Question) -> Iterator[Problem]:
    """Asked when it is handed in: of two approvals in one year the second would put its plan in place of the
    first one's."""
    if other := asked.ground.elsewhere:
        yield Problem(
            "",
            f"本校在{other.application.round}中已提交这个证书等级，现在是“{other.get_state_display()}”，还没有决定；"
            f"一个证书等级一年一份计划（{HB} 四.4），不能同时在两个批次审核。请等那一批决定，"
            "或先撤回那一项，再提交本项；本项填写的内容保留。",
        )


def _majors_named(asked: Question) -> Iterator[Problem]:
    if not asked.facts.majors:
        yield Problem("majors", f"至少填写一个对应专业（{HB} 三.2：科学确定拟参与试点的专业和证书）。")
    for line in asked.facts.majors:
        if not line.name and not asked.ground.major(line):
            yield Problem("majors", f"对应专业 {line.code}：目录中没有这个代码，请写明专业名称。")


def _people(asked: Question) -> Iterator[Problem]:
    total, least = asked.facts.total, asked.round.minimum_candidates
    if total < 1:
        yield Problem(
            "planned_new", f"拟考证人数合计至少 1 人（{HB} 四.4：填报年度证书申报计划，即拟考证人数）。"
        )
    elif least and total < least:
        source = asked.round.document or "本批次设置"
        yield Problem(
            "planned_new",
            f"拟考证人数合计 {total} 人，少于本批次每个证书等级最少 {least} 人（{source}）。"
            "请核实规模，达不到的暂不申报这个证书等级。",
        )


def _carried(asked: Question) -> Iterator[Problem]:
    carried, last = asked.facts.carried_over, asked.ground.last_plan
    if not carried:
        return
    year = asked.round.year - 1
    if not asked.round.allows_carry_over:
        source = asked.round.document or "本批次设置"
        yield Problem("carried_over", f"本批次不能沿用上年计划人数（{source}）。请都填在“新增”中，此处填 0。")
    elif last is None:
        yield Problem(
            "carried_over",
            f"本校这个证书等级没有 {year} 年计划，没有可沿用的人数（{HB} 四.4：沿用上年计划）。请填 0。",
        )
    elif carried > last:
        yield Problem(
            "carried_over",
            f"沿用 {carried} 人，多于本校这个证书等级 {year} 年计划的 {last} 人"
            f"（{HB} 四.4：沿用计划人数纳入本年总体计划）。请改正。",
        )


def _teachers(asked: Question) -> Iterator[Problem]:
    if asked.facts.trainers < 1:
        yield Problem(
            "trainers",
            f"至少有 1 名具备培训资格的教师（{HB} 三.4：根据参与试点学生规模确定师资培训体量）。",
        )


def _texts(asked: Question) -> Iterator[Problem]:
    if not asked.facts.equipment:
        yield Problem(
            "equipment",
            f"请写明实训设备与场地（{SX} 三.2：加强证书对应专业的教学条件和实训设施设备建设，满足证书培训考核使用）。",
        )
    if not asked.facts.justification:
        yield Problem("justification", f"请填写论证意见（{HB} 三.2：逐一严格论证试点证书，严把证书入校关）。")


def _declarations(asked: Question) -> Iterator[Problem]:
    if not asked.facts.is_voluntary:
        yield Problem("is_voluntary", f"请声明学生自愿参加（{HB} 三.2：遵循学生自愿参与的原则）。")
    if not asked.facts.is_no_condition:
        yield Problem(
            "is_no_condition",
            f"请声明不以取得证书作为毕业条件（{HB} 三.5：不得将是否获得相关证书作为毕业标准）。",
        )


def _plan(asked: Question) -> Iterator[Problem]:
    if not any(file.kind == ItemFile.Kind.PLAN for file in asked.item.kept_files):
        yield Problem(
            "plan", f"请上传本证书的试点工作方案（{HB} 三.6：按照“一证一方案”原则，分证书制定试点工作方案）。"
        )


def _agreement(asked: Question) -> Iterator[Problem]:
    agreement = asked.ground.agreement_of(asked.item, asked.facts)
    if agreement is None and asked.facts.agreement_id is not None:
        # Whose it is and what it says stays between those who signed it.
        yield Problem(
            "agreement",
            f"本校不是所选协议的签约院校，不能使用（{HB} 三.6：签署试点合作协议前，不得开展试点）。"
            "请选择本校的协议，还没有的先登记。",
        )
        return
    if agreement is None:
        yield Problem(
            "agreement",
            f"请选择本校与评价组织签署的试点合作协议，还没有的先登记（{HB} 三.6：签署试点合作协议前，不得开展试点）。",
        )
        return
    for text in against_agreement(asked.item, agreement, asked.ground):
        yield Problem("agreement", text)


def against_agreement(item: ApplicationItem, agreement: Agreement, ground: Ground) -> list[str]:
    """Why this agreement, to which the school is a party, does not carry the item; []."""
    party = next(p for p in agreement.parties.all() if p.school_id == item.application.school_id)
    if not party.confirmed_at:
        return [f"本校还没有确认参加所选的联合协议（{HB} 三.6）。请先在协议页面确认。"]
    if not party.is_joined(ground.day):
        return [f"本校已于{full_day(party.left_on)}终止所选协议（{HB} 三.6）。请选择或登记有效的协议。"]
    if agreement.certificate_level_id != item.certificate_level_id:
        return [
            f"所选协议是“{agreement.certificate_level}”的，不是“{item.certificate_level}”的"
            f"（{HB} 三.6：分证书制定试点工作方案，达成一致后签署试点合作协议）。请选择本证书等级的协议。"
        ]
    found = [reason] if (reason := out_of_force(agreement, ground.day)) else []
    if not vars(agreement)["has_file"]:
        found.append(
            f"所选协议还没有上传签字盖章的文本（{HB} 四.3：上传《试点工作方案》和试点合作协议）。请在协议页面上传。"
        )
    return found + fees.beyond_now(
        agreement.fee,
        ground.limit,
        day=ground.day,
        signed_on=agreement.signed_on,
        reason=agreement.over_cap_reason,
    )


def _mended(asked: Question) -> Iterator[Problem]:
    """What was returned does not come back as it was: nobody could tell what to review."""
    item, version = asked.item, asked.ground.returned_version
    if item.state != ApplicationItem.State.RETURNED or version is None:
        return
    majors = dict.fromkeys(map(asked.ground.named, asked.facts.majors))
    facts = replace(asked.facts, majors=tuple(majors))
    now = shape.content_of(item, facts, asked.ground.agreement_of(item, facts))
    if now in shape.sent_in(version.content):
        yield Problem(
            "",
            f"内容与退回的第{version.number}版相同，不能提交。请按退回意见修改，或上传说明材料后再提交；"
            "不再申报的，请撤回。",
        )


ALWAYS: tuple[Rule, ...] = (_kind, _in_pilot, _elsewhere, _mended, _running, _batch, _people, _carried)
RULES: tuple[Rule, ...] = (
    *ALWAYS,
    _majors_named,
    _teachers,
    _texts,
    _declarations,
    _agreement,
    _plan,
)


def problems_of(item: ApplicationItem, facts: Facts, ground: Ground) -> list[Problem]:
    """Everything that blocks the item, in the order of RULES; a renewal is asked the short form only."""
    asked = Question(item, facts, ground)
    unread = {problem.field for problem in facts.problems}
    found = list(facts.problems)
    for rule in ALWAYS if item.is_renewal else RULES:
        found += [problem for problem in rule(asked) if not problem.field or problem.field not in unread]
    return found


def _no_cap(item: ApplicationItem, facts: Facts, ground: Ground) -> Iterator[Problem]:
    """Without a cap a fee is accepted, and the level listed for the province (MOE 三(二))."""
    if ground.limit.note and ground.agreement_of(item, facts):
        text = (
            f"{ground.limit.note}：协议费用暂无上限可对照（{MOE} 三(二)）。不影响提交，省推进办将列入清单。"
        )
        yield Problem("agreement", text)


def other_plan(item: ApplicationItem, facts: Facts, ground: Ground) -> str:
    """What the year's plan is already and what an approval would make of it (HB 四.4: carried heads count in
    the total); "" where there is none."""
    if (plan := ground.this_plan) is None:
        return ""
    is_split = plan.carried_over != facts.carried_over
    now = shape.heads(*plan, is_split=is_split)
    then = shape.heads(facts.total, facts.carried_over, is_split=is_split)
    becomes = f"改为 {then}" if now != then else "人数不变；不需要调整的，不必再报"
    return f"{item.application.round.year} 年计划现为 {now}，批准后{becomes}。"


def _other_plan(item: ApplicationItem, facts: Facts, ground: Ground) -> Iterator[Problem]:
    if text := other_plan(item, facts, ground):
        yield Problem("planned_new", text)


def warnings_of(item: ApplicationItem, facts: Facts, ground: Ground) -> list[Problem]:
    """What is worth a look and blocks nothing."""
    found = [*_no_cap(item, facts, ground), *_other_plan(item, facts, ground)]
    catalogue = item.application.round.catalogue
    for line in facts.majors:
        if line.name and ground.major(line) is None:
            same = ground.majors.get(line.code)
            word = f"目录中这个代码是“{same[0].name}”" if same else f"不在{catalogue or '专业目录'}中"
            found.append(Problem("majors", f"对应专业“{line}”{word}，请核对；确属新专业的可以照填。"))
    if item.is_renewal:
        agreement = ground.agreement_of(item, facts)
        if agreement is None:
            text = f"没有登记有效的试点合作协议，请尽快补登（{HB} 三.6）。不影响本次续报。"
            found.append(Problem("agreement", text))
        else:
            found += [Problem("agreement", t) for t in against_agreement(item, agreement, ground)]
    return found
