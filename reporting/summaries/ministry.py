"""The office's half-year report to the ministry (SX 四.3, MOE 一(三)): figures, and texts gathered by section.

Nothing is written for the office: the texts are those filed, each with whose it is, to be edited in Word.
"""

from dataclasses import dataclass

from django.db.models import F

from accounts.models import Organization, User
from core import clock
from core.documents import Paper
from obligations.models import Obligation, ObligationKind, Period
from obligations.rates import Rate, rate
from reporting.circular.wording import BASIS, DEMONSTRATION
from reporting.models import SummaryVersion
from reporting.summaries import sums
from reporting.summaries.sources import THURSDAY
from reporting.summaries.sums import Stretch, Table

SECTIONS = {
    "progress": "工作进展",
    "problems": "存在问题",
    "suggestions": "意见建议",
    "next_half": "下一步打算",
}
NUMERALS = "一二三四五六七八"


@dataclass(frozen=True)
class Text:
    """What one organisation wrote in one section; `group` is its authority, or 培训评价组织."""

    organization: str
    group: str
    text: str


@dataclass(frozen=True)
class Report:
    """`rates`: label → how that kind was reported in the half-year."""

    stretch: Stretch
    schools: Table
    evaluators: Table
    rates: list[tuple[str, Rate]]
    texts: dict[str, list[Text]]
    is_demonstration: bool

    @property
    def title(self) -> str:
        return f"山西省{self.stretch.label}1+X证书制度试点工作总结"

    @property
    def sections(self) -> list[tuple[str, list[Text]]]:
        return [(label, self.texts[name]) for name, label in SECTIONS.items()]


def report(stretch: Stretch) -> Report:
    """Of the whole province; the number of queries does not grow with it."""
    schools = Organization.objects.schools()
    evaluators = Organization.objects.filter(kind=Organization.Kind.EVALUATOR)
    return Report(
        stretch,
        sums.of_schools(schools, stretch, by_school=False),
        sums.of_evaluators(evaluators.values("pk"), stretch),
        _rates(stretch),
        _texts(stretch),
        clock.is_demonstration() or schools.filter(is_demonstration=True).exists(),
    )


def _rates(stretch: Stretch) -> list[tuple[str, Rate]]:
    found = []
    for kind in (
        ObligationKind.WEEKLY_REPORT,
        ObligationKind.MONTHLY_REPORT,
        ObligationKind.HALF_YEAR_SUMMARY,
    ):
        shift = THURSDAY * (kind == ObligationKind.WEEKLY_REPORT)
        periods = Period.objects.filter(
            kind=kind, starts_on__gte=stretch.first - shift, starts_on__lte=stretch.last - shift
        )
        found.append((str(kind.label), rate(Obligation.objects.filter(period__in=periods))))
    return found


def _texts(stretch: Stretch) -> dict[str, list[Text]]:
    versions = SummaryVersion.objects.filter(
        pk=F("report__current"),
        report__obligation__kind=ObligationKind.HALF_YEAR_SUMMARY,
        report__obligation__key=stretch.key,
    )
    organization = "report__obligation__organization"
    rows = versions.order_by(
        f"{organization}__supervisor__kind", f"{organization}__supervisor__code", f"{organization}__code"
    ).values_list(f"{organization}__name", f"{organization}__supervisor__name", "content")
    found: dict[str, list[Text]] = {name: [] for name in SECTIONS}
    for name, authority, content in rows:
        for section in SECTIONS:
            if text := content[section].strip():
                found[section].append(Text(name, authority or "培训评价组织", text))
    return found


def opening(found: Report) -> list[str]:
    """The figures in words."""
    schools, evaluators = found.schools.total.values, found.evaluators.total.values
    rates = "；".join(
        f"{label}应报{rate.owed}份，按时{rate.on_time}份，迟报{rate.late}份，未报{rate.missed}份，填报率{rate.text}"
        for label, rate in found.rates
    )
    return [
        f"{BASIS}要求，现将{found.stretch.label}试点工作情况总结如下。",
        f"有周报数据的试点院校{schools['schools']}所，期末在训{schools['in_training']}人；"
        f"新增报考{schools['registered_added']}人、参考{schools['examined_added']}人、"
        f"合格{schools['passed_added']}人、发证{schools['certified_added']}人；培训教师"
        f"{schools['teachers_trained']}人次，支出经费{schools['money_spent']:.2f}元。",
        f"应报月报的培训评价组织{len(found.evaluators.lines)}个，报告考核{evaluators['exams']}场、"
        f"{evaluators['said_examined']}人，发证{evaluators['issued']}本，收取考核费用{evaluators['fees']:.2f}元。",
        f"报送情况：{rates}。",
    ]


def word(found: Report, *, by: User) -> bytes:
    """.docx, to be edited: the texts stand as they were filed."""
    paper = Paper()
    if found.is_demonstration:
        paper.mark(DEMONSTRATION)
    paper.title(found.title)
    paper.heading("一、总体情况")
    for text in opening(found):
        paper.paragraph(text)
    for number, (label, texts) in enumerate(found.sections, 1):
        paper.heading(f"{NUMERALS[number]}、{label}")
        group = ""
        for each in texts:
            if each.group != group:
                group = each.group
                paper.paragraph(f"【{group}】")
            paper.paragraph(f"{each.organization}：{each.text}")
        if not texts:
            paper.paragraph("（没有报送的内容）")
    issuer = by.organization
    paper.seal(issuer.name if issuer else "", clock.today())
    for number, (title, heading, table) in enumerate(_annexes(found), 1):
        paper.annex(f"附件{number}", f"{found.stretch.label}{title}")
        head, *rows = table.rows(heading)
        width = (244 - 54) / len(table.figures)
        paper.table(head, rows, widths=[54, *[width] * len(table.figures)], size=10)
    return paper.content()


def _annexes(found: Report) -> list[tuple[str, str, Table]]:
    return [
        ("各主管部门试点情况表", "主管部门", found.schools),
        ("培训评价组织情况表", "培训评价组织", found.evaluators),
    ]
