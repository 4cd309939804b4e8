"""The weekly form: one field for each figure of each programme, checked as the province's sheet asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator

from core.numbers import MAX_FIGURE, parse_number
from reporting import content as shape
from reporting.sheet import Sheet


class NumberField(forms.CharField):
    """Typed as text, so that full-width digits and a mistyped letter survive until they are mended."""

    def __init__(self, *, places: int = 0, most: int = MAX_FIGURE, **kwargs: Any) -> None:
        self.places, self.most = places, most
        mode = "decimal" if places else "numeric"
        widget = forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"})
        super().__init__(widget=widget, error_messages={"required": "请填写，没有请填 0。"}, **kwargs)

    def to_python(self, value: Any) -> Decimal | None:
        text = super().to_python(value)
        return parse_number(text, places=self.places, most=self.most) if text else None


def long_text(label: str, help_text: str, most: int, rows: int) -> forms.CharField:
    # No maxlength on the widget: a browser would cut a long paste off without a word.
    message = f"“{label}”共 %(show_value)s 字，最多 %(limit_value)s 字。内容都还在，请删减。"
    widget = forms.Textarea(attrs={"rows": rows, "data-most": most})
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        widget=widget,
        validators=[MaxLengthValidator(most, message)],
    )


@dataclass(frozen=True)
class Cell:
    """One figure on the page: its field or value, what it is held against (`before`), the change.

    `was` is what is shown as last time's: `before`, or last year's in the first report of a year.
    """

    figure: shape.Figure
    field: forms.BoundField | None
    value: Any
    before: Any
    change: Decimal | None
    was: Any = None


@dataclass(frozen=True)
class ProgrammeRow:
    name: str
    cells: list[Cell]
    explanation: Any
    questions: list[str]


class WeeklyForm(forms.Form):
    """Give `data` to check what was typed, or `initial` to show it."""

    is_zero = forms.BooleanField(label="本周无新进展", required=False)
    teachers_trained = NumberField(label="本周培训教师", help_text="人次", required=False)
    money_spent = NumberField(
        label="本周支出经费", help_text="元", required=False, places=2, most=shape.MAX_MONEY
    )
    work_done = long_text("本周工作", "", shape.MAX_TEXT, 4)
    problems = long_text("存在问题", "没有可不填", shape.MAX_TEXT, 2)
    suggestions = long_text("意见建议", "对政策和试点工作的建议，没有可不填", shape.MAX_TEXT, 2)
    next_week = long_text("下周计划", "下周填报时会显示在“本周工作”旁", shape.MAX_TEXT, 3)

    def __init__(self, sheet: Sheet, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.sheet = sheet
        self.asked: dict[str, list[str]] = {}
        for pk in sheet.names:
            for figure in shape.FIGURES:
                self.fields[shape.field_name(pk, figure.name)] = NumberField(
                    label=figure.label, places=figure.places
                )
            explanation = long_text("变动说明", "", shape.MAX_EXPLANATION, 1)
            self.fields[shape.field_name(pk, "explanation")] = explanation

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("is_zero"):
            self._forget_figures()
            return data
        for pk in self.sheet.names:
            self._ask(pk)
        if not self.errors and shape.says_nothing(self.content, self.sheet.before):
            raise forms.ValidationError(
                "没有填写任何新内容，空白周报不算报送。如本周确无新进展，请勾选“本周无新进展”；"
                "否则请更新数据或填写本周工作。",
                code="empty",
            )
        return data

    def _forget_figures(self) -> None:
        """A zero report repeats last week's figures, whatever stands in the boxes."""
        for name in list(self.errors):
            if name not in shape.TEXTS:
                del self.errors[name]

    def _ask(self, pk: str) -> None:
        row = self._row(pk)
        if row is None:
            return
        self.asked[pk] = shape.questions(row, self.sheet.before.get(pk))
        name = shape.field_name(pk, "explanation")
        if self.asked[pk] and name not in self.errors and not row["explanation"]:
            self.add_error(name, "请写明原因。")

    def _row(self, pk: str) -> dict[str, Any] | None:
        """One programme's figures as content keeps them; None while one of them is missing or wrong."""
        if self.cleaned_data.get("is_zero"):
            before = self.sheet.before.get(pk) or shape.zero_row()
            return {figure.name: before[figure.name] for figure in shape.FIGURES} | {"explanation": ""}
        row: dict[str, Any] = {}
        for figure in shape.FIGURES:
            value = self.cleaned_data.get(shape.field_name(pk, figure.name))
            if value is None:
                return None
            row[figure.name] = shape.stored(value, figure.places)
        row["explanation"] = self.cleaned_data.get(shape.field_name(pk, "explanation"), "")
        return row

    @property
    def content(self) -> shape.Content:
        """What a version keeps; ask only when no figure is wrong."""
        data, obligation = self.cleaned_data, self.sheet.obligation
        zero = bool(data.get("is_zero"))
        money = Decimal(0) if zero else data.get("money_spent") or Decimal(0)
        teachers = Decimal(0) if zero else data.get("teachers_trained") or Decimal(0)
        return {
            "period": obligation.key,
            "organization": obligation.organization.code,
            "is_zero": zero,
            "programmes": {pk: self._row(pk) for pk in self.sheet.names},
            "teachers_trained": shape.stored(teachers, 0),
            "money_spent": shape.stored(money, 2),
            **{name: data.get(name, "") for name in shape.TEXTS},
        }

    @property
    def has_unused_figures(self) -> bool:
        """A zero report in whose boxes other figures stand: the page says that they are left out."""
        if not self.cleaned_data.get("is_zero"):
            return False
        used = shape.typed_of(self.content)
        names = [n for n in used if n in self.fields and n not in shape.TEXTS and n != "is_zero"]
        return any(self._says_other(name, used[name]) for name in names)

    def _says_other(self, name: str, used: str) -> bool:
        typed = str(self.data.get(name) or "").strip()
        if name.endswith("-explanation") or not typed:
            return bool(typed)
        value = self.cleaned_data.get(name)
        return value is None or value != Decimal(used)

    def rows(self) -> list[ProgrammeRow]:
        """For the page: each programme with its fields and last week's figures beside them."""
        return [
            ProgrammeRow(
                name,
                [self._cell(pk, figure) for figure in shape.FIGURES],
                self[shape.field_name(pk, "explanation")],
                self.asked.get(pk, []),
            )
            for pk, name in self.sheet.names.items()
        ]

    def _cell(self, pk: str, figure: shape.Figure) -> Cell:
        before = self.sheet.before.get(pk, {}).get(figure.name)
        was = before if before is not None else self.sheet.last_year.get(pk, {}).get(figure.name)
        return Cell(figure, self[shape.field_name(pk, figure.name)], None, before, None, was)

    def week_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in shape.WEEK_FIGURES]

    def text_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in shape.TEXTS]

    def messages(self) -> list[tuple[str, str, str]]:
        """(id, label, message) of each error, in the order of the page, for the summary at the top."""
        found = [("", "", str(message)) for message in self.non_field_errors()]
        for name in shape.field_names(self.sheet.names):
            asked = self.asked.get(name.removesuffix("-explanation").removeprefix("p"), [])
            why = f"{'；'.join(asked)}。" if name.endswith("-explanation") and asked else ""
            for message in self.errors.get(name, []):
                label = shape.label_of(name, self.sheet.names)
                found.append((self[name].id_for_label, label, why + str(message)))
        return found


class ReturnForm(forms.Form):
    reason = forms.CharField(
        label="要更正什么",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明要更正什么。"},
    )


def told(
    content: shape.Content, before: Mapping[str, shape.Row], names: Mapping[str, str]
) -> list[ProgrammeRow]:
    """A version's figures to be read: each with last week's and the change."""
    rows = []
    for pk, row in content["programmes"].items():
        was = before.get(pk)
        cells = [
            Cell(
                figure, None, row[figure.name], was and was[figure.name], shape.change(row, was, figure.name)
            )
            for figure in shape.FIGURES
        ]
        rows.append(
            ProgrammeRow(names.get(pk, "试点项目"), cells, row["explanation"], shape.questions(row, was))
        )
    return rows
