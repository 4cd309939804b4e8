"""The text of a circular, put together from its figures and from nothing else."""

from collections.abc import Iterable

from accounts.models import Organization
from core.templatetags.portal import closing, when
from obligations.rates import Rate
from reporting.circular import columns
from reporting.circular.figures import Circular, SchoolLine
from reporting.reporters import EVALUATORS, SCHOOLS

NUMERALS = "一二三四五六"
DEMONSTRATION = "演示数据，全部机构和数字均为虚构，不得印发"
BASIS = (
    "根据《教育部办公厅等关于推进1+X证书制度试点工作的指导意见》（教职成厅函〔2019〕19号）和"
    "《关于进一步做好山西省职业院校“1+X”证书制度试点工作的意见》（晋教职成〔2020〕9号）"
)
DUTY = "“试点院校要通过职业技能等级证书信息管理服务平台按时填写、报送周报”（晋教职成〔2020〕9号 四.3）"
EXIT = (
    "教职成厅函〔2019〕19号 五(四)规定，试点院校“推进试点工作不力、进展缓慢，连续三周不填报周报的”，"
    "由省级教育行政部门取消参与试点资格"
)


def title(circular: Circular) -> str:
    return f"关于{circular.label}“1+X”证书制度试点{circular.noun}填报情况的通报"


def addressee(circular: Circular, issuer: Organization) -> str:
    """The bureaux too, where the province writes of their schools."""
    who = circular.who
    whom = ["各市教育局"] if who.has_schools and issuer.kind == Organization.Kind.PROVINCE else []
    whom += [f"各{each.in_full}" for each in (SCHOOLS, EVALUATORS) if each.kinds <= who.kinds]
    return f"{'、'.join(whom)}："


def scope(circular: Circular, authority: Organization | None) -> str:
    """Whose schools: 全省, or those of one authority."""
    return f"{authority.name}主管的" if authority else "全省"


def opening(circular: Circular) -> str:
    return f"{BASIS}要求，现将{circular.label}{circular.noun}填报情况通报如下。"


def sections(circular: Circular, authority: Organization | None) -> list[tuple[str, list[str]]]:
    """(heading, paragraphs) in the order of the paper."""
    parts = [
        ("概况", _overview(circular, authority)),
        ("按时情况", _punctuality(circular)),
        ("未报名单", _missing(circular)),
        *([("连续未报预警", _warnings(circular))] if circular.is_weekly else []),
        ("有关要求", _demands() if circular.is_weekly else _demands_of_summaries(circular)),
    ]
    return [(f"{NUMERALS[n]}、{heading}", texts) for n, (heading, texts) in enumerate(parts)]


def _overview(circular: Circular, authority: Organization | None) -> list[str]:
    rate, last = circular.total.rate, circular.periods[-1]
    texts = [
        f"{circular.label}，{scope(circular, authority)}{circular.who.in_full}{len(circular.schools)}"
        f"{circular.who.measure}，应报{circular.noun}{rate.owed}份"
        f"（另有免报{rate.exempt}份）。按时{rate.on_time}份，迟报{rate.late}份，未报{rate.missed}份"
        f"（其中关闭后补报{rate.filled}份、从未补报{rate.never_filled}份、已谅解{rate.excused}份）。"
        f"{_percent_words(rate, change_words(circular))}。",
        f"按本省设置，{last.label}于{closing(last.due_at)}截止、{closing(last.closes_at)}关闭：截止前收到为按时，"
        "截止后、关闭前收到为迟报，关闭后收到为补报，结果仍为未报。填报率为按时和迟报占应报的比例，"
        "免报不计入应报。",
    ]
    if circular.open_periods:
        names = "、".join(period.label for period in circular.open_periods)
        texts.append(
            f"截至{when(circular.at)}，{names}尚未关闭，待报{rate.pending}份，以上数字以关闭后为准。"
        )
    return texts


def _percent_words(rate: Rate, change: str) -> str:
    if rate.percent is None:
        return "没有应报的"
    return f"填报率{rate.text}{f'（{change}）' if change else ''}，按时率{rate.text_on_time}"


def change_words(circular: Circular) -> str:
    """`较第46周上升1.2个百分点`; nothing where there is nothing to compare."""
    change = circular.total.change
    if change is None:
        return ""
    if change == 0:
        return f"{circular.change_label}持平"
    return f"{circular.change_label}{'上升' if change > 0 else '下降'}{abs(change)}个百分点"


def _punctuality(circular: Circular) -> list[str]:
    who = circular.who
    owing = [line for line in circular.schools if line.rate.owed]
    punctual = sum(line.rate.on_time == line.rate.owed for line in owing)
    texts = [
        f"有应报{circular.noun}的{len(owing)}{who.measure}{who.noun}中，全部按时的{punctual}{who.measure}。"
    ]
    named = "、".join(f"{name}情况" for name in columns.names(circular))
    return [*texts, *_by_group(circular), f"{named}见附件。"]


def _by_group(circular: Circular) -> list[str]:
    """Which authorities' schools (and whether the evaluators) did well or badly, where there are several."""
    owing = [line for line in circular.authorities if line.rate.owed]
    if len(owing) < 2:
        return []
    texts = []
    if whole := [line.name for line in owing if line.rate.on_time == line.rate.owed]:
        members = "所属单位" if circular.who.are_mixed else "所属院校"
        texts.append(f"{members}全部按时的有：{'、'.join(whole)}。")
    general = circular.total.rate.percent
    below = sorted(
        (line for line in owing if general is not None and (line.rate.percent or 0) < general),
        key=lambda line: line.rate.percent or 0,
    )
    if below:
        named = "、".join(f"{line.name}（{line.rate.text}）" for line in below)
        texts.append(f"填报率低于合计（{circular.total.rate.text}）的有：{named}。")
    return texts


def _missing(circular: Circular) -> list[str]:
    noun = circular.who.noun
    never = _by_authority(circular, "never_filled")
    filled = _by_authority(circular, "filled")
    if not never and not filled:
        nobody = f"没有未报的{noun}。"
        return [nobody if not circular.total.rate.excused else f"除已谅解的以外，{nobody}"]
    texts = []
    if never:
        texts += [f"（一）从未补报的{noun}", *never]
    if filled:
        texts += [f"{'（二）' if never else '（一）'}关闭后补报的{noun}", *filled]
    return texts


def _by_authority(circular: Circular, count: str) -> list[str]:
    """One paragraph for each authority; over more than one period each school with how many."""
    many = len(circular.periods) > 1
    texts = []
    for line in circular.authorities:
        found = [(s.name, getattr(s.rate, count)) for s in line.schools if getattr(s.rate, count)]
        names = "、".join(f"{name}（{number}份）" if many else name for name, number in found)
        if found:
            texts.append(f"{line.name}（{len(found)}{line.who.measure}）：{names}。")
    return texts


def _warnings(circular: Circular) -> list[str]:
    lines = circular.schools
    long = sorted((s for s in lines if s.weeks >= 3), key=lambda s: -s.weeks)
    two = [s for s in lines if s.weeks == 2]
    one = sum(s.weeks == 1 for s in lines)
    texts = [
        f"{EXIT}。按{when(circular.streaks_at)}前已关闭的周期计算"
        "（免报和已谅解的周期跳过，关闭后补报的仍计为未报）："
    ]
    texts.append(f"连续未报3周及以上的{len(long)}所{_named(long, with_weeks=True)}。")
    texts.append(f"连续未报2周的{len(two)}所{_named(two)}。")
    texts.append(f"连续未报1周的{one}所，见附件2。" if one else "连续未报1周的0所。")
    if long:
        texts.append("上列院校是否属于应取消试点资格的情形，须经调查核实并听取陈述申辩后另行决定。")
    return texts


def _named(schools: Iterable[SchoolLine], *, with_weeks: bool = False) -> str:
    names = []
    for school in schools:
        notes = [f"{school.weeks}周"] if with_weeks else []
        if school.spans_exempt:
            notes.append("其间有免报或谅解，须核实是否连续")
        names.append(school.name + (f"（{'，'.join(notes)}）" if notes else ""))
    return f"：{'、'.join(names)}" if names else ""


def _demands_of_summaries(circular: Circular) -> list[str]:
    duty = "评价组织每月、学校和评价组织每半年上报试点工作情况（晋教职成〔2020〕9号 四.3）"
    return [
        f"（一）{duty}。没有新进展的，也要如实填报。",
        f"（二）未报{circular.noun}的{circular.who.noun}要抓紧补报并查明原因；因停电、网络中断、突发事件等未能填报的，请提供证明材料。",
    ]


def _demands() -> list[str]:
    return [
        f"（一）{DUTY}。各试点院校要指定专人按时填报；没有新进展的，也要如实填报。",
        "（二）未报院校要抓紧补报并查明原因。因停电、网络中断、突发事件等未能填报，或者已在国家平台填报的，"
        "请提供证明材料，提出异议。",
        "（三）各主管部门要逐校督促，重点督促连续未报的院校。",
    ]
