"""The form of a monthly report or half-year summary, checked as its shape asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from core import draft_files
from core.forms import EvidenceField
from core.models import Attachment
from reporting.forms import NumberField, long_text
from reporting.summaries import content as shapes
from reporting.summaries.sheet import Sheet

EMPTY = "没有填写任何新内容，空白月报不算报送（晋教职成〔2020〕9号 四.3）。如本月确无新进展，请勾选“本月无新进展”。"


class UploadForm(forms.Form):
    attachments = EvidenceField(label="附件")


@dataclass(frozen=True)
class FormRow:
    """A row of the page: given figures, fields with last month's value beside them, questions."""

    name: str
    given: list[tuple[shapes.Figure, Any]]
    said: list[tuple[shapes.Figure, forms.BoundField, Any]]
    explanation: forms.BoundField | None
    questions: list[str]


class SummaryForm(forms.Form):
    """Give `data` to check what was typed, or `initial` to show it."""

    def __init__(self, sheet: Sheet, *args: Any, files: Iterable[Attachment] = (), **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.sheet, self.shape, self.files = sheet, sheet.shape, list(files)
        self.asked: dict[str, list[str]] = {}
        if self.shape.said:
            self.fields["is_zero"] = forms.BooleanField(label="本月无新进展", required=False)
        for pk in sheet.names if self.shape.said else ():
            for figure in self.shape.said:
                self.fields[shapes.field_name(pk, figure.name)] = NumberField(
                    label=figure.label, places=figure.places
                )
            self.fields[shapes.field_name(pk, "explanation")] = long_text(
                "说明", "", shapes.MAX_EXPLANATION, 1
            )
        for name, label in self.shape.texts.items():
            self.fields[name] = long_text(label, self._hint(name), shapes.MAX_TEXT, 4)

    def _hint(self, name: str) -> str:
        return "" if name in self.shape.required else "没有可不填"

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("is_zero"):
            for name in [name for name in self.errors if self._is_figure(name)]:
                del self.errors[name]
        for pk in self.sheet.names if self.shape.said else ():
            self._ask(pk)
        for name in self.shape.required:
            if name not in self.errors and not data.get(name):
                self.add_error(name, f"请填写{self.shape.texts[name]}。")
        if self.shape.said and not self.errors and self._says_nothing():
            raise forms.ValidationError(EMPTY, code="empty")
        return data

    def _is_figure(self, name: str) -> bool:
        return name not in self.shape.texts and not name.endswith("-explanation")

    def _ask(self, pk: str) -> None:
        said = self._said(pk)
        if said is None:
            return
        self.asked[pk] = shapes.questions(said, self.sheet.given(pk))
        name = shapes.field_name(pk, "explanation")
        if self.asked[pk] and name not in self.errors and not self.cleaned_data.get(name):
            self.add_error(name, "请说明原因。")

    def _said(self, pk: str) -> dict[str, Any] | None:
        """One row's own figures as content keeps them; None while one of them is missing or wrong."""
        said: dict[str, Any] = {}
        for figure in self.shape.said:
            zero = self.cleaned_data.get("is_zero")
            value = Decimal(0) if zero else self.cleaned_data.get(shapes.field_name(pk, figure.name))
            if value is None:
                return None
            said[figure.name] = shapes.stored(value, figure.places)
        return said

    def _says_nothing(self) -> bool:
        data = self.cleaned_data
        figures = any(Decimal(str(n)) for pk in self.sheet.names for n in (self._said(pk) or {}).values())
        return not (data.get("is_zero") or figures or any(data.get(name) for name in self.shape.texts))

    @property
    def content(self) -> shapes.Content:
        """What a version keeps; ask only when the form is valid."""
        data, obligation = self.cleaned_data, self.sheet.obligation
        content: shapes.Content = {
            "period": obligation.key,
            "organization": obligation.organization.code,
            "is_zero": bool(data.get("is_zero")),
            "rows": {
                pk: {
                    "name": name,
                    "given": self.sheet.given(pk),
                    "said": self._said(pk) if self.shape.said else {},
                    "explanation": data.get(shapes.field_name(pk, "explanation"), ""),
                }
                for pk, name in self.sheet.names.items()
            },
            "sums": self.sheet.given_sums,
            **{name: data.get(name, "") for name in self.shape.texts},
        }
        if self.shape.has_files:
            content[draft_files.FIELD] = draft_files.told(self.files)
        return content

    def rows(self) -> list[FormRow]:
        previous = self.sheet.previous.content["rows"] if self.sheet.previous else {}
        found = []
        for pk, name in self.sheet.names.items():
            given, before = self.sheet.given(pk), previous.get(pk, {}).get("said", {})
            said = [(f, self[shapes.field_name(pk, f.name)], before.get(f.name)) for f in self.shape.said]
            explanation = self[shapes.field_name(pk, "explanation")] if said else None
            shown = [(f, given[f.name]) for f in self.shape.given]
            found.append(FormRow(name, shown, said, explanation, self.asked.get(pk, [])))
        return found

    def text_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.shape.texts]

    def messages(self) -> list[tuple[str, str, str]]:
        """(id, label, message) of each error, in the order of the page."""
        found = [("", "", str(message)) for message in self.non_field_errors()]
        for name in self.fields:
            pk = name.removeprefix("r").partition("-")[0]
            asked = self.asked.get(pk, []) if name.endswith("-explanation") else []
            why = f"{'；'.join(asked)}。" if asked else ""
            for message in self.errors.get(name, []):
                label = self.shape.label_of(name, self.sheet.names)
                found.append((self[name].id_for_label, label, why + str(message)))
        return found


@dataclass(frozen=True)
class ToldRow:
    """A row of a version: (label, value, unit) of what was given and said, differences, word."""

    name: str
    given: list[tuple[str, Any, str]]
    said: list[tuple[str, Any, str]]
    questions: list[str]
    explanation: str


def told(shape: shapes.Shape, content: Mapping[str, Any]) -> list[ToldRow]:
    """A version's rows to be read."""
    return [
        ToldRow(
            row["name"],
            [(f.label, row["given"].get(f.name, 0), f.unit) for f in shape.given],
            [(f.label, row["said"][f.name], f.unit) for f in shape.said],
            shapes.questions(row["said"], row["given"]) if shape.said else [],
            row["explanation"],
        )
        for row in content["rows"].values()
    ]


def told_sums(shape: shapes.Shape, sums: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    return [(f.label, sums.get(f.name, 0), f.unit) for f in shape.sums]


def told_texts(shape: shapes.Shape, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(label, content[name]) for name, label in shape.texts.items()]
