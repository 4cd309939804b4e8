"""The shape of a school filing (SX 三.1; 附件2, whose table is lost, so the fields are the portal's own).

*Typed* is what a person has entered so far, valid or not: {field name: text}, the members of the working
group as `member-<n>-<part>`, the files as ids set apart by blanks. *Content* is what a version keeps::

    {"school": "4214000001", "name": "…职业学校", "leader_name": "…", …, "mechanism": "…",
     "members": [{"name": "…", "department": "…", "duty": "…", "phone": "…"}],
     "files": [{"id": "<uuid>", "name": "试点工作方案.pdf", "sha256": "…"}]}
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core import draft_files
from core.draft_pages import Difference
from core.fields import masked

Typed = dict[str, str]
Content = dict[str, Any]

LABELS = {
    "leader_name": "组长姓名",
    "leader_position": "组长职务",
    "leader_phone": "组长电话",
    "department": "责任部门",
    "contact_name": "联系人姓名",
    "contact_department": "联系人部门",
    "contact_mobile": "联系人手机",
    "contact_phone": "联系人办公电话",
    "contact_email": "联系人电子邮箱",
    "mechanism": "推进机制",
}
PARTS = {"name": "姓名", "department": "部门", "duty": "负责业务", "phone": "电话"}
PHONES = {"leader_phone", "contact_mobile", "contact_phone"}
IS_HEAD = "is_head"
MEMBERS, FILES = "members", draft_files.FIELD
MOST_MEMBERS = 60
ROWS_SHOWN = 3
_MEMBER = re.compile(r"member-(\d{1,3})-(name|department|duty|phone)")


def member_field(number: int, part: str) -> str:
    return f"member-{number}-{part}"


def members_of(typed: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows in which something stands, in their order, at most MOST_MEMBERS."""
    rows: dict[int, dict[str, str]] = {}
    for name, text in typed.items():
        if (found := _MEMBER.fullmatch(name)) and text.strip():
            rows.setdefault(int(found[1]), dict.fromkeys(PARTS, ""))[found[2]] = text.strip()
    return [rows[number] for number in sorted(rows)][:MOST_MEMBERS]


def with_members(typed: Mapping[str, str], members: Iterable[Mapping[str, str]]) -> Typed:
    """The same text with these members, numbered from 0 without gaps."""
    kept = {name: text for name, text in typed.items() if not _MEMBER.fullmatch(name)}
    for number, member in enumerate(members):
        kept |= {member_field(number, part): member[part] for part in PARTS}
    return kept


def typed_from(posted: Mapping[str, str]) -> Typed:
    """What a form posted: every field, the members' rows closed up."""
    typed = {name: posted.get(name, "").replace("\r\n", "\n").strip() for name in LABELS}
    typed[IS_HEAD] = "on" if posted.get(IS_HEAD) else ""
    typed[FILES] = " ".join(posted.get(FILES, "").split())
    return with_members(typed, members_of(posted))


def typed_of(content: Content) -> Typed:
    """A version's content as the form would show it."""
    typed = {name: content[name] for name in LABELS}
    typed |= {IS_HEAD: "on", FILES: " ".join(file["id"] for file in content[FILES])}
    return with_members(typed, content[MEMBERS])


def take(mine: Typed, theirs: Typed, chosen: Mapping[str, str]) -> Typed:
    """Field by field what was chosen: {name: "theirs"}; members and files go as a whole."""
    merged = {
        name: theirs.get(name, "") if chosen.get(name) == "theirs" else mine.get(name, "")
        for name in [*LABELS, IS_HEAD, FILES]
    }
    return with_members(merged, members_of(theirs if chosen.get(MEMBERS) == "theirs" else mine))


def shown(content: Content, *, plain: bool) -> Content:
    """The content to be read; phone numbers masked unless `plain`."""
    if plain:
        return content
    told = {name: masked(value) if name in PHONES else value for name, value in content.items()}
    told[MEMBERS] = [{**member, "phone": masked(member["phone"])} for member in content[MEMBERS]]
    return told


def differences(before: Typed, after: Typed, names: Mapping[str, str], *, plain: bool) -> list[Difference]:
    """What differs between two typed filings, in the order of the page; `names` are the files' by id.

    A changed phone number shows as changed even where both are masked.
    """
    found = [
        Difference(name, label, *(_words(name, typed.get(name, ""), plain) for typed in (before, after)))
        for name, label in LABELS.items()
        if before.get(name, "") != after.get(name, "")
    ]
    if before.get(IS_HEAD, "") != after.get(IS_HEAD, ""):
        ticks = ("已勾选" if typed.get(IS_HEAD) else "未勾选" for typed in (before, after))
        found.insert(0, Difference(IS_HEAD, "组长是本校主要负责同志", *ticks))
    if members_of(before) != members_of(after):
        both = (_members_words(members_of(typed), plain) for typed in (before, after))
        found.append(Difference(MEMBERS, "工作组成员", *both))
    if draft_files.ids_of(before) != draft_files.ids_of(after):
        files = (
            "\n".join(names.get(pk, "文件") for pk in draft_files.ids_of(typed)) for typed in (before, after)
        )
        found.append(Difference(FILES, "试点工作方案", *files))
    return found


def _words(name: str, text: str, plain: bool) -> str:
    return masked(text) if name in PHONES and not plain else text


def _members_words(members: Iterable[Mapping[str, str]], plain: bool) -> str:
    lines = []
    for member in members:
        phone = member["phone"] if plain else masked(member["phone"])
        lines.append(" ".join(filter(None, [member["name"], member["department"], member["duty"], phone])))
    return "\n".join(lines)
