"""Sheets of an evaluator's trainers and of a school's teachers: one row a person, of one's own organisation."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import ProtectedError
from import_export.results import RowResult

from accounts.models import User
from core import clock, crypto
from core.imports.columns import Choice, Code, Column, Day, Text
from core.imports.resource import WHOLE_ROW, Row, SheetResource, shown
from core.imports.services import CannotUndo
from core.reference import normalised
from core.templatetags.portal import full_day
from evaluators.models import Teacher, Trainer
from evaluators.services import teachers as of_teachers
from evaluators.services import trainers as of_trainers

# What an import may not take along into previews, errors and what is kept for undoing.
SILENT = "phone"
CHANGED_SINCE = "导入后又改过。"
GONE = "导入后已从名单中删除。"


class Phone(Text):
    """A phone number; the error does not repeat it."""

    SHAPE = re.compile(r"[0-9+-]{7,20}")

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = super().clean(value, row, **kwargs).replace(" ", "")
        if not self.SHAPE.fullmatch(text):
            raise ValueError("电话应为 7 到 20 位数字，可带区号和短横线。")
        return text


@dataclass
class PersonRow(Row):
    name: str | None = None
    phone: str | None = None
    # What judging found out
    person: Any = None


class PeopleResource(SheetResource):
    """Rows are matched by `key`; a blank optional cell never clears what is stored."""

    may_be_empty = False
    key: tuple[str, ...]
    values: tuple[str, ...]

    def load(self, rows: list[dict[str, Any]]) -> None:
        self.known = {self._key(person): person for person in self.people()}
        self.seen: dict[tuple[str, ...], int] = {}

    def people(self) -> Any:
        """Those of the own organisation that a row may mean."""
        raise NotImplementedError

    def _key(self, record: Any) -> tuple[str, ...]:
        return tuple(normalised(getattr(record, name) or "") for name in self.key)

    def judge(self, row: Any) -> Iterator[tuple[str, str]]:
        if any(getattr(row, name) is None for name in self.key):
            return
        key = self._key(row)
        if key in self.seen:
            headings = "、".join(self.fields[name].heading for name in self.key)
            yield WHOLE_ROW, f"与第{self.seen[key]}行重复（{headings}相同）。请删去一行。"
            return
        self.seen[key] = row.number
        row.person = self.known.get(key)
        yield from self.refuse(row)
        self._effect(row)

    def refuse(self, row: Any) -> Iterator[tuple[str, str]]:
        yield from ()

    def _effect(self, row: Any) -> None:
        row.label = row.name or ""
        given = self.given(row)
        if row.person is None:
            row.effect = RowResult.IMPORT_TYPE_NEW
            row.changes = ["登记"]
            return
        changed = [name for name, value in given.items() if getattr(row.person, name) != value]
        if changed:
            row.effect = RowResult.IMPORT_TYPE_UPDATE
            row.changes = [self._words(row, name, given[name]) for name in changed]

    def _words(self, row: Any, name: str, value: Any) -> str:
        heading = next(c.heading for c in self.columns() if c.attribute == name)
        if name == SILENT:
            return f"{heading}：已修改"
        was, now = (
            shown(of_teachers.labelled(row.person, name, each)) for each in (getattr(row.person, name), value)
        )
        return f"{heading}：{was or '（空）'} → {now}"

    def given(self, row: Any) -> dict[str, Any]:
        return {name: getattr(row, name) for name in self.values if getattr(row, name) is not None}

    def write(self, rows: list[Any]) -> dict[str, Any]:
        made, changed = [], []
        for row in rows:
            given = self.given(row)
            if row.person is None:
                person = self.add(given)
                made.append([str(person.pk), *_words_of(person, self.values)])
                continue
            before = {n: _plain(getattr(row.person, n)) for n, v in given.items() if n != SILENT}
            phone = SILENT in given and row.person.phone != given[SILENT]
            self.change(row.person, given)
            after = {n: _plain(v) for n, v in given.items() if n != SILENT}
            changed.append([str(row.person.pk), before, after, phone])
        return {"made": made, "changed": changed}

    def add(self, given: dict[str, Any]) -> Any:
        raise NotImplementedError

    def change(self, person: Any, given: dict[str, Any]) -> Any:
        raise NotImplementedError


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _words_of(person: Any, names: Iterable[str]) -> tuple[dict[str, Any], str]:
    """What a person is entered with; of the phone only what tells whether it is still the same."""
    words = {name: _plain(getattr(person, name)) for name in names if name != SILENT}
    return words, crypto.blind_index(f"{person.pk}:{person.phone}")


def _undo(model: Any, change: Any, data: dict[str, Any], by: User, at: dt.datetime) -> None:
    """Remove whom the file brought, and put the old words back, where nothing has happened since. Raises
    CannotUndo. Numbers that it replaced are kept nowhere: such a file stays."""
    reasons: list[str] = []
    people = {str(p.pk): p for p in model.objects.select_for_update().filter(pk__in=_ids(data))}
    for pk, _, after, phone in data["changed"]:
        reasons += _since_changed(people.get(pk), after, phone)
    for pk, after, phone in data["made"]:
        reasons += _since_made(people.get(pk), after, phone)
    if reasons:
        raise CannotUndo(reasons)
    for pk, before, _, _ in data["changed"]:
        change(people[pk], fields={n: _typed(model, n, v) for n, v in before.items()}, by=by, at=at)
    try:
        model.objects.filter(pk__in=[pk for pk, *_ in data["made"]]).delete()
    except ProtectedError as error:
        raise CannotUndo(["导入的人员已经使用，不能撤销。"]) from error


def _ids(data: dict[str, Any]) -> list[str]:
    return [pk for pk, *_ in [*data["made"], *data["changed"]]]


def _since_changed(person: Any, after: dict[str, Any], phone: bool) -> Iterator[str]:
    if person is None:
        yield f"{after['name']}：{GONE}"
    elif phone:
        yield f"{person.name}：更新过电话，原号码不另存，不能撤销。请逐人修改。"
    elif any(_plain(getattr(person, name)) != value for name, value in after.items()):
        yield f"{person.name}：{CHANGED_SINCE}"


def _since_made(person: Any, after: dict[str, Any], phone: str) -> Iterator[str]:
    if person is None:
        yield f"{after['name']}：{GONE}"
    elif _is_used(person):
        yield f"{person.name}：导入后已使用。"
    elif _words_of(person, after) != (after, phone):
        yield f"{person.name}：{CHANGED_SINCE}"


def _is_used(person: Any) -> bool:
    if isinstance(person, Teacher):
        used = person.sign_ups.exists() or person.qualifications.exists()
    else:
        used = person.activities.exists()
    return used or person.left_on is not None


def _typed(model: Any, name: str, value: Any) -> Any:
    return model._meta.get_field(name).to_python(value)


# --- Trainers


@dataclass
class TrainerRow(PersonRow):
    employer: str | None = None
    employer_kind: str | None = None
    title: str | None = None
    joined_on: dt.date | None = None


class TrainerResource(PeopleResource):
    sheet = "培训专家"
    version = "培训专家 2020-1"
    title = "培训专家"
    row_class = TrainerRow
    key = ("name", "employer")
    values = ("name", "employer", "employer_kind", "title", "phone", "joined_on")

    name = Column("name", "姓名", Text(60), required=True)
    employer = Column("employer", "工作单位", Text(120), required=True, width=30)
    employer_kind = Column(
        "employer_kind",
        "单位类别",
        Choice({label: value for value, label in Trainer.Employer.choices}, {"企业": "industry"}),
        required=True,
        options=Trainer.Employer.labels,
        note="从下拉列表选择。来自行业企业的比例不少于40%。",
    )
    # `title` is the sheet's own.
    rank = Column("title", "职称或职业资格", Text(80), width=20)
    phone = Column("phone", "电话", Phone(20), width=16, note="文本格式。加密保存。")
    joined_on = Column("joined_on", "加入日期", Day(), required=True, note="如 2020-11-20，不晚于今天。")

    def people(self) -> Any:
        return Trainer.objects.in_team().filter(evaluator=self.by.organization_id)

    def refuse(self, row: TrainerRow) -> Iterator[tuple[str, str]]:
        if row.joined_on and row.joined_on > clock.local(self.at).date():
            yield "joined_on", "加入日期不能晚于今天。"

    def add(self, given: dict[str, Any]) -> Trainer:
        return of_trainers.add_trainer(fields=given, by=self.by, at=self.at)

    def change(self, person: Trainer, given: dict[str, Any]) -> Trainer:
        return of_trainers.change_trainer(person, fields=given, by=self.by, at=self.at)


def undo_trainers(*, data: dict[str, Any], by: User, at: dt.datetime) -> None:
    """Raises CannotUndo."""
    _undo(Trainer, of_trainers.change_trainer, data, by, at)


TRAINER_NOTES = (
    "每行一位专家，按姓名和工作单位匹配；已在团队中的更新，没有的登记。",
    "只导入本组织的团队。退出团队在名单上逐人登记。",
)


# --- Teachers


@dataclass
class TeacherRow(PersonRow):
    staff_number: str | None = None
    majors: str | None = None


class TeacherResource(PeopleResource):
    sheet = "教师"
    version = "教师 2020-1"
    title = "教师"
    row_class = TeacherRow
    key = ("staff_number",)
    values = ("staff_number", "name", "majors", "phone")

    staff_number = Column(
        "staff_number", "工号", Code(40), required=True, width=16, note="文本格式，按工号匹配。"
    )
    name = Column("name", "姓名", Text(60), required=True)
    majors = Column("majors", "任教专业", Text(200), width=30, note="多个专业用顿号隔开。")
    phone = Column("phone", "电话", Phone(20), width=16, note="文本格式。加密保存。")

    def people(self) -> Any:
        return Teacher.objects.filter(school=self.by.organization_id)

    def refuse(self, row: TeacherRow) -> Iterator[tuple[str, str]]:
        if row.person is not None and row.person.left_on:
            yield "staff_number", f"这个工号的教师已于{full_day(row.person.left_on)}离校。请核对工号。"

    def add(self, given: dict[str, Any]) -> Teacher:
        return of_teachers.add_teacher(fields=given, by=self.by, at=self.at)

    def change(self, person: Teacher, given: dict[str, Any]) -> Teacher:
        return of_teachers.change_teacher(person, fields=given, by=self.by, at=self.at)


def undo_teachers(*, data: dict[str, Any], by: User, at: dt.datetime) -> None:
    """Raises CannotUndo."""
    _undo(Teacher, of_teachers.change_teacher, data, by, at)


TEACHER_NOTES = (
    "每行一位教师，按工号匹配；已登记的更新，没有的登记。",
    "只导入本校教师。资格和离校在教师页面登记。",
)


def no_options() -> dict[str, list[str]]:
    """Nothing here is chosen from what the database knows."""
    return {}
