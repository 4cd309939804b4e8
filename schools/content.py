"""The shape of an application item: what is typed, what it says, what a version keeps.

*Typed* is what a person has entered so far, valid or not: {field name: text}; a draft keeps it as it is.
Majors are typed one a line, “代码 名称”. *Facts* are typed texts or stored columns as values. *Content* is
what a version keeps, as JSON::

    {"round": "2021年第1批试点申报", "school": "4214000002", "name": "…",
     "items": [{"level": 7, "title": "…（中级）", "evaluator": "…", "is_renewal": false,
                "planned_new": 40, "carried_over": 0, "trainers": 2, "equipment": "…", "justification": "…",
                "is_voluntary": true, "is_no_condition": true,
                "majors": [{"code": "710202", "name": "…", "catalogue": "…"}],
                "agreement": {"id": 3, "reference": "…", "fee": "200.00", "signed_on": "2021-05-10", …} | null,
                "files": [{"kind": "plan", "name": "…", "size": 123, "sha256": "…"}]}],
     "others": {"8": "returned"}}

A version is the whole application: `others` are, by level, the items that were not handed in with it, with
their states at that instant.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from core.draft_pages import Difference
from core.numbers import parse_number
from core.templatetags.portal import full_day
from schools.models import Agreement, ApplicationItem, ApplicationVersion, ItemFile

NUMBERS = {
    "planned_new": "新增拟考证人数",
    "carried_over": "沿用上年计划人数",
    "trainers": "具备培训资格的教师",
}
TEXTS = {"equipment": "实训设备与场地", "justification": "论证意见"}
TICKS = {"is_voluntary": "学生自愿参加", "is_no_condition": "不与毕业挂钩"}
LABELS = {"majors": "对应专业", **NUMBERS, **TEXTS, **TICKS, "agreement": "试点合作协议"}
# A school that runs the certificate already says how many, and nothing else (HB 四.4).
SHORT_FORM = ("planned_new", "carried_over")
MOST_PEOPLE = 99_999
MOST_TEXT = 3_000
MOST_MAJORS = 30
SHORT_HASH = 12

Typed = dict[str, str]
Content = dict[str, Any]


class MajorLine(NamedTuple):
    """One line of the majors, read; the name is empty where only a code was typed."""

    code: str
    name: str

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


class Problem(NamedTuple):
    """What is wrong with a field, in plain words with the clause where a rule stops it."""

    field: str
    text: str


@dataclass(frozen=True)
class Facts:
    """What an item says; `problems` are texts that could not be read, their values stand as nothing."""

    planned_new: int = 0
    carried_over: int = 0
    trainers: int = 0
    equipment: str = ""
    justification: str = ""
    is_voluntary: bool = False
    is_no_condition: bool = False
    agreement_id: int | None = None
    majors: tuple[MajorLine, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def total(self) -> int:
        return self.planned_new + self.carried_over


def names(item: ApplicationItem) -> tuple[str, ...]:
    """The fields of the item's form, in the order of the page."""
    return SHORT_FORM if item.is_renewal else tuple(LABELS)


def typed_from(data: Mapping[str, Any], item: ApplicationItem) -> Typed:
    """The typed texts of a request, with nothing else that came along.

    Browsers send line ends as CRLF; PostgreSQL's JSON refuses NUL.
    """
    return {name: str(data.get(name) or "").replace("\r\n", "\n").replace("\x00", "") for name in names(item)}


def typed_of(item: ApplicationItem) -> Typed:
    """What the form begins with: the draft, else what was last submitted as if typed again."""
    if item.draft is not None:
        return {name: item.draft.get(name, "") for name in names(item)}
    facts = facts_of(item)
    typed = {name: str(getattr(facts, name)) for name in (*NUMBERS, *TEXTS)}
    if item.state == ApplicationItem.State.DRAFT:
        # Nothing was said yet: no zeros in the boxes.
        typed |= {name: "" for name in NUMBERS if typed[name] == "0"}
    typed |= {name: "on" if getattr(facts, name) else "" for name in TICKS}
    typed["majors"] = "\n".join(map(str, facts.majors))
    typed["agreement"] = str(facts.agreement_id or "")
    return {name: typed[name] for name in names(item)}


def facts_of(item: ApplicationItem) -> Facts:
    """What was last submitted."""
    return Facts(
        **{name: getattr(item, name) for name in (*NUMBERS, *TEXTS, *TICKS)},
        agreement_id=item.agreement_id,
        majors=tuple(MajorLine(major.code, major.name) for major in item.majors.all()),
    )


def facts_typed(typed: Typed) -> Facts:
    """What was typed; unreadable texts become problems."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, label in NUMBERS.items():
        try:
            text = typed.get(name, "").strip()
            values[name] = int(parse_number(text, most=MOST_PEOPLE)) if text else 0
        except ValidationError as error:
            values[name] = 0
            problems.append(Problem(name, f"{label}：{error.messages[0]}"))
    for name, label in TEXTS.items():
        values[name] = typed.get(name, "").strip()
        if len(values[name]) > MOST_TEXT:
            text = f"{label}：共 {len(values[name])} 字，最多 {MOST_TEXT} 字。内容都还在，请删减。"
            problems.append(Problem(name, text))
    majors, wrong = majors_typed(typed.get("majors", ""))
    agreement = typed.get("agreement", "")
    values |= {name: bool(typed.get(name)) for name in TICKS}
    return Facts(
        **values,
        agreement_id=int(agreement) if agreement.isdecimal() and len(agreement) < 10 else None,
        majors=majors,
        problems=(*problems, *(Problem("majors", text) for text in wrong)),
    )


_MAJOR = re.compile(r"(?P<code>\d[0-9A-Za-z]{3,7})(?:[\s,，、:：]+|(?=[^0-9A-Za-z]))?(?P<name>.*)")


def majors_typed(text: str) -> tuple[tuple[MajorLine, ...], list[str]]:
    """The lines read, each once, and what is wrong with those that could not be."""
    lines: dict[MajorLine, None] = {}
    wrong = []
    for raw in text.split("\n"):
        plain = " ".join(unicodedata.normalize("NFKC", raw).split())
        if not plain:
            continue
        found = _MAJOR.fullmatch(plain)
        if found is None or len(found["name"]) > 60:
            wrong.append(f"对应专业“{plain[:40]}”：请每行写一个专业，先写 4 至 8 位代码，再写名称。")
        else:
            lines[MajorLine(found["code"], found["name"].strip())] = None
    if len(lines) > MOST_MAJORS:
        wrong.append(f"对应专业最多 {MOST_MAJORS} 个。")
    return tuple(lines), wrong


def content_of(item: ApplicationItem, facts: Facts, agreement: Agreement | None) -> Content:
    """An item as a version keeps it: what `facts` say with the item's own files; majors by code. A major's
    catalogue is known once it was handed in."""
    level = item.certificate_level
    catalogues = {(major.code, major.name): major.catalogue for major in item.majors.all()}
    return {
        "level": level.pk,
        "title": str(level),
        "evaluator": str(level.certificate.owner),
        "is_renewal": item.is_renewal,
        **{name: getattr(facts, name) for name in (*NUMBERS, *TEXTS, *TICKS)},
        "majors": [
            {"code": major.code, "name": major.name, "catalogue": catalogues.get(major, "")}
            for major in sorted(facts.majors)
        ],
        "agreement": agreement and agreement_content(agreement),
        "files": [
            {
                "kind": file.kind,
                "name": file.attachment.name,
                "size": file.attachment.size,
                "sha256": file.attachment.sha256,
            }
            for file in item.kept_files
        ],
    }


def agreement_content(agreement: Agreement) -> Content:
    return {
        "id": agreement.pk,
        "reference": agreement.reference,
        "evaluator": str(agreement.evaluator),
        "fee": f"{agreement.fee:.2f}",
        "signed_on": agreement.signed_on.isoformat(),
        "valid_until": agreement.valid_until.isoformat(),
    }


def heads(total: int, carried: int, *, is_split: bool = False) -> str:
    """A plan in words; `is_split` tells of nobody carried over too."""
    told = f"（其中沿用上年 {carried} 人）" if carried or is_split else ""
    return f"{total} 人{told}"


class ToldFile(NamedTuple):
    """`kind` in words; `sha256` whole (64 hex digits)."""

    kind: str
    name: str
    sha256: str


class Told(NamedTuple):
    """One item of a version, to be read: {label: text}, and its files."""

    words: dict[str, str]
    files: list[ToldFile]

    @property
    def all_words(self) -> dict[str, str]:
        """The files too, each with the first digits of its SHA-256."""
        files = [f"{file.kind}：{file.name}（SHA-256 {file.sha256[:SHORT_HASH]}…）" for file in self.files]
        return {**self.words, "材料": "\n".join(files) or "无"}


def told(item: Content) -> Told:
    words = {"拟考证人数": heads(item["planned_new"] + item["carried_over"], item["carried_over"])}
    if not item["is_renewal"]:
        words |= {
            "对应专业": "、".join(f"{major['code']} {major['name']}" for major in item["majors"]),
            "具备培训资格的教师": f"{item['trainers']} 人",
            **{label: item[name] for name, label in TEXTS.items()},
            **{label: "是" if item[name] else "否" for name, label in TICKS.items()},
        }
    words["试点合作协议"] = _agreement_words(item["agreement"])
    kinds = dict(ItemFile.Kind.choices)
    files = [ToldFile(str(kinds[file["kind"]]), file["name"], file["sha256"]) for file in item["files"]]
    return Told(words, files)


def _agreement_words(agreement: Content | None) -> str:
    if agreement is None:
        return "未登记"
    reference = f"{agreement['reference']}，" if agreement["reference"] else ""
    return (
        f"{agreement['evaluator']}，{reference}{agreement['fee']} 元/人，"
        f"{_day(agreement['signed_on'])}签，有效期至{_day(agreement['valid_until'])}"
    )


def _day(text: str) -> str:
    return full_day(dt.date.fromisoformat(text))


def sent_in(content: Content) -> list[Content]:
    """The items that were handed in with this version."""
    others = content.get("others", {})
    return [item for item in content.get("items", []) if str(item["level"]) not in others]


def beside(content: Content) -> list[tuple[Content, str, str]]:
    """The other items, each with its state at that instant and the state's name."""
    others = content.get("others", {})
    return [
        (item, state, str(ApplicationItem.State(state).label))
        for item in content.get("items", [])
        if (state := others.get(str(item["level"])))
    ]


def versions_with(level: int, versions: Iterable[ApplicationVersion]) -> list[ApplicationVersion]:
    """Of one application's, those that the item of this level was handed in with; newest first."""
    found = [v for v in versions if any(item["level"] == level for item in sent_in(v.content))]
    return sorted(found, key=lambda version: -version.number)


class Change(NamedTuple):
    """One field of one item that differs from the former version."""

    title: str
    label: str
    before: str
    after: str


def changes(before: Content, after: Content) -> list[Change]:
    """What differs between two versions, item by item in the order of the later one."""
    old = {item["level"]: item for item in before["items"]}
    new = {item["level"]: item for item in after["items"]}
    found = []
    for level in [*new, *(level for level in old if level not in new)]:
        title = (new.get(level) or old[level])["title"]
        if level not in old or level not in new:
            word = "新增" if level in new else "不再包括"
            found.append(Change(title, word, "", ""))
            continue
        was, now = told(old[level]).all_words, told(new[level]).all_words
        found += [
            Change(title, label, was.get(label, ""), text)
            for label, text in now.items()
            if was.get(label, "") != text
        ]
    return found


def differences(
    before: Typed, after: Typed, item: ApplicationItem, agreements: Mapping[str, str]
) -> list[Difference]:
    """Fields that differ between two typed texts of the item; `agreements` gives each id's name."""

    def word(name: str, text: str) -> str:
        if name in TICKS:
            return "已勾选" if text else "未勾选"
        return agreements.get(text, text) if name == "agreement" else text

    return [
        Difference(name, LABELS[name], word(name, before.get(name, "")), word(name, after.get(name, "")))
        for name in names(item)
        if before.get(name, "") != after.get(name, "")
    ]
