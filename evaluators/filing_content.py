"""The shape of an evaluator's filing: 附件3 of 晋教职成〔2020〕9号, per certificate.

*Typed* is what a person has entered so far, valid or not: {field name: text}, the staff as
`staff-<n>-<part>`, the files of each kind as ids set apart by blanks. *Content* is what a version keeps::

    {"certificate": "…职业技能等级证书", "organization": "…", "name": "…", "sex": "女",
     "birth_month": "1985-03", …, "introduction": "…", "promise": "本人承诺……",
     "staff": [{"name": "…", "phone": "…", "duty": "…"}],
     "letter": [{"id": "<uuid>", "name": "授权函.pdf", "sha256": "…"}], "plan": […], …}
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from certificates.models import Certificate
from core.draft_pages import Difference
from core.fields import masked

Typed = dict[str, str]
Content = dict[str, Any]

# In the order of 附件3.
LABELS = {
    "name": "负责人姓名",
    "sex": "性别",
    "birth_month": "出生年月",
    "phone": "联系电话",
    "email": "邮箱",
    "id_number": "身份证号",
    "address": "现住址",
    "introduction": "评价组织简介",
}
PARTS = {"name": "姓名", "phone": "电话", "duty": "负责业务"}
FILES = {
    "letter": "培训评价组织总部授权函",
    "plan": "培训考核计划方案",
    "agreement": "与教育部委托机构签署的协议",
    "stamped": "盖章的承诺书",
}
REQUIRED_FILES = ("letter", "plan", "agreement")
PROMISE, STAFF = "promise", "staff"
PROMISE_TEXT = "本人承诺以上提供的资料真实准确。如有不实本人愿承担由此引起的一切后果和法律责任。"
# What one form may post (Django takes 1,000 fields).
MOST_STAFF = 300
# As many as the paper form has.
ROWS_SHOWN = 4
_STAFF = re.compile(r"staff-(\d{1,3})-(name|phone|duty)")


def staff_field(number: int, part: str) -> str:
    return f"staff-{number}-{part}"


def staff_of(typed: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows in which something stands, in their order, at most MOST_STAFF."""
    rows: dict[int, dict[str, str]] = {}
    for name, text in typed.items():
        if (found := _STAFF.fullmatch(name)) and text.strip():
            rows.setdefault(int(found[1]), dict.fromkeys(PARTS, ""))[found[2]] = text.strip()
    return [rows[number] for number in sorted(rows)][:MOST_STAFF]


def with_staff(typed: Mapping[str, str], staff: Iterable[Mapping[str, str]]) -> Typed:
    """The same text with these people, numbered from 0 without gaps."""
    kept = {name: text for name, text in typed.items() if not _STAFF.fullmatch(name)}
    for number, person in enumerate(staff):
        kept |= {staff_field(number, part): person[part] for part in PARTS}
    return kept


def file_ids(typed: Mapping[str, str], kind: str) -> list[str]:
    return typed.get(kind, "").split()


def all_file_ids(typed: Mapping[str, str]) -> set[str]:
    return {pk for kind in FILES for pk in file_ids(typed, kind)}


def files_in(content: Content) -> set[str]:
    return {file["id"] for kind in FILES for file in content[kind]}


def typed_from(posted: Mapping[str, str]) -> Typed:
    """What a form posted: every field, the rows of the staff closed up."""
    typed = {name: posted.get(name, "").replace("\r\n", "\n").strip() for name in LABELS}
    typed[PROMISE] = "on" if posted.get(PROMISE) else ""
    typed |= {kind: " ".join(posted.get(kind, "").split()) for kind in FILES}
    return with_staff(typed, staff_of(posted))


def typed_of(content: Content) -> Typed:
    """A version's content as the form would show it; the promise is made anew each time."""
    typed = {name: content[name] for name in LABELS} | {PROMISE: ""}
    typed |= {kind: " ".join(file["id"] for file in content[kind]) for kind in FILES}
    return with_staff(typed, content[STAFF])


def empty(certificate: Certificate) -> Content:
    """The content in which nothing was entered."""
    return {
        "certificate": certificate.name,
        "organization": certificate.owner.name,
        **dict.fromkeys(LABELS, ""),
        PROMISE: PROMISE_TEXT,
        STAFF: [],
        **{kind: [] for kind in FILES},
    }


def take(mine: Typed, theirs: Typed, chosen: Mapping[str, str]) -> Typed:
    """Field by field what was chosen: {name: "theirs"}; the staff, and the files of a kind, go as a whole."""
    merged = {
        name: theirs.get(name, "") if chosen.get(name) == "theirs" else mine.get(name, "")
        for name in [*LABELS, PROMISE, *FILES]
    }
    return with_staff(merged, staff_of(theirs if chosen.get(STAFF) == "theirs" else mine))


def file_rows(content: Content) -> list[tuple[str, str, list[dict[str, str]]]]:
    """(kind, label, files) of each kind."""
    return [(kind, label, content[kind]) for kind, label in FILES.items()]


# --- What may be read


def hidden_number(number: str) -> str:
    """`**************1234`: only the last four."""
    return masked(number, head=0)


def hidden_address(address: str) -> str:
    """`太原市迎****`: enough to tell it from another, not to find the door."""
    return f"{address[:4]}****" if len(address) > 6 else "****" if address else ""


def shown(content: Content, *, phones: bool, secrets: bool = False) -> Content:
    """The content to be read: ID number and home address hidden unless `secrets`, phone numbers unless
    `phones`."""
    told = dict(content)
    if not secrets:
        told["id_number"] = hidden_number(content["id_number"])
        told["address"] = hidden_address(content["address"])
    if not phones:
        told["phone"] = masked(content["phone"])
        told[STAFF] = [{**person, "phone": masked(person["phone"])} for person in content[STAFF]]
    return told


def differences(before: Typed, after: Typed, names: Mapping[str, str], *, phones: bool) -> list[Difference]:
    """What differs between two typed filings, in the order of the page; `names` are the files' by id.

    A changed ID number, address or phone number shows as changed even where both are hidden.
    """
    found = [
        Difference(name, label, *(_words(name, typed.get(name, ""), phones) for typed in (before, after)))
        for name, label in LABELS.items()
        if before.get(name, "") != after.get(name, "")
    ]
    if staff_of(before) != staff_of(after):
        both = (_staff_words(staff_of(typed), phones) for typed in (before, after))
        found.append(Difference(STAFF, "工作人员情况", *both))
    for kind, label in FILES.items():
        if file_ids(before, kind) != file_ids(after, kind):
            files = ("\n".join(names.get(pk, "文件") for pk in file_ids(t, kind)) for t in (before, after))
            found.append(Difference(kind, label, *files))
    return found


def _words(name: str, text: str, phones: bool) -> str:
    if name == "id_number":
        return hidden_number(text)
    if name == "address":
        return hidden_address(text)
    return masked(text) if name == "phone" and not phones else text


def _staff_words(staff: Iterable[Mapping[str, str]], phones: bool) -> str:
    lines = []
    for person in staff:
        phone = person["phone"] if phones else masked(person["phone"])
        lines.append(" ".join(filter(None, [person["name"], phone, person["duty"]])))
    return "\n".join(lines)
