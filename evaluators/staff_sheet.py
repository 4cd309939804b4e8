"""The staff of an evaluator's filing as a sheet. It is read in the request; the file itself is kept nowhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from core.imports.columns import Column, Text
from core.imports.container import check_size
from core.imports.faults import FileRefused
from core.imports.reading import read_table
from core.imports.resource import CellError, SheetResource
from core.imports.template import build_template
from evaluators import filing_content as shape
from schools.forms.filings import PhoneField

Person = dict[str, str]

TOO_MANY = f"工作人员最多 {shape.MOST_STAFF} 人：表格有 {{rows}} 人，合计 {{total}} 人。请删减后再上传。"
# Other imports' notes speak of records that a row changes; these rows are a draft's.
NOTES = (
    "从“{sheet}”第二行起填写，每行一人；标题行不要改动，列的次序可以变。",
    f"标 * 的列必填，其余可以留空。最多 {shape.MOST_STAFF} 人。",
    "号码列请设为文本格式，直接输入或“只粘贴值”，不要用公式，不要合并单元格。",
    "有一处错误就一行也不读入。读入的人员放进备案表草稿，核对后再提交。",
)


class FormPhone(Text):
    """A phone number as the form takes it; no error repeats it."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        try:
            return PhoneField(required=False).clean(super().clean(value, row, **kwargs))
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error


class StaffSheet(SheetResource):
    """Only its columns and layout are used: the rows become a draft's text, no records."""

    sheet = "工作人员"
    version = "工作人员 2020-1"
    title = "工作人员"

    name = Column("name", shape.PARTS["name"], Text(60), required=True)
    phone = Column(
        "phone", shape.PARTS["phone"], FormPhone(30), width=18, note="手机号，或带区号的固定电话。文本格式。"
    )
    duty = Column("duty", shape.PARTS["duty"], Text(60), width=30)


def template() -> bytes:
    return build_template(StaffSheet, {}, general=NOTES)


def read_staff(upload: Any, *, beside: Sequence[Mapping[str, str]] = ()) -> tuple[list[Person], list[str]]:
    """(`beside` and whom the sheet adds to them, what is wrong with its rows): one is empty.

    Who stands in `beside` with the same words is not added again. Raises FileRefused.
    """
    check_size(upload.size)
    table = read_table(upload.read(), upload.name, StaffSheet.layout())
    if len(table.rows) > shape.MOST_STAFF:
        raise FileRefused(TOO_MANY.format(rows=len(table.rows), total=len(table.rows)))
    people: list[Person] = []
    errors: list[CellError] = []
    for number, row in zip(table.numbers, table.rows, strict=True):
        person = {}
        for column in StaffSheet.columns():
            try:
                person[column.attribute] = column.clean(row) or ""
            except ValueError as error:
                errors.append(CellError(number, column.heading, table.letters[column.heading], str(error)))
        people.append(person)
    if errors:
        return [], [f"第{e.row}行“{e.heading}”（{e.letter}{e.row}）：{e.message}" for e in errors]
    known = [dict(person) for person in beside]
    both = known + [person for person in people if person not in known]
    if len(both) > shape.MOST_STAFF:
        raise FileRefused(TOO_MANY.format(rows=len(table.rows), total=len(both)))
    return both, []
