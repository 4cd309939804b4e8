"""Forms of an application: which certificate levels, and what each says."""

from collections.abc import Iterable
from typing import Any

from django import forms

from certificates.models import CertificateLevel
from core.attachments import EXTENSIONS
from core.forms import FilesInput, SearchSelectMultiple
from core.templatetags.portal import full_day
from schools import content as shape
from schools.clauses import HB
from schools.eligibility import Standing
from schools.levels import of_closed_batches, to_apply_for
from schools.models import Application, ItemFile


class AddItemsForm(forms.Form):
    levels = forms.ModelMultipleChoiceField(
        label="证书等级",
        help_text="输入证书名称查找，可一次选几个。",
        widget=SearchSelectMultiple,
        queryset=CertificateLevel.objects.none(),
        error_messages={"required": "请选择证书等级。"}
        | dict.fromkeys(
            ("invalid_choice", "invalid_pk_value"),
            "所选的证书等级不能添加：已在本次申报中，或本批次不再新增这一批证书的试点单位。请重新选择。",
        ),
    )

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.application = application
        field: Any = self.fields["levels"]
        field.queryset = to_apply_for(application).exclude(of_closed_batches(application))

    def not_offered(self) -> str:
        """How many levels are closed to the school and why; ""."""
        batches = self.application.round.closed_batches
        closed = to_apply_for(self.application).filter(of_closed_batches(self.application))
        if not (batches and (count := closed.count())):
            return ""
        return (
            f"另有 {count} 个证书等级没有列出：本批次不再新增第{'、'.join(batches)}批证书的试点单位"
            f"（参照{HB} 四.4，由省推进办设定）。本校开展过的证书不受此限。"
        )


def _number() -> forms.Widget:
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})


def _long(rows: int) -> forms.Widget:
    # No maxlength: a browser would cut a long paste off without a word.
    return forms.Textarea(attrs={"rows": rows})


class ItemForm(forms.Form):
    """Shows what is typed and takes whatever is typed: the rules answer with the list of what is missing."""

    majors = forms.CharField(
        label=shape.LABELS["majors"],
        help_text="每行一个：代码 名称。目录中没有的也可以照此填写。",
        widget=_long(3),
    )
    planned_new = forms.CharField(label=shape.LABELS["planned_new"], widget=_number())
    carried_over = forms.CharField(label=shape.LABELS["carried_over"], widget=_number())
    trainers = forms.CharField(label=shape.LABELS["trainers"], widget=_number())
    equipment = forms.CharField(label=shape.LABELS["equipment"], widget=_long(3))
    justification = forms.CharField(
        label=shape.LABELS["justification"],
        help_text="师资、实训条件、资金投入和试点规模的论证。",
        widget=_long(5),
    )
    is_voluntary = forms.BooleanField(label="学生自愿参加，学校不作强制")
    is_no_condition = forms.BooleanField(label="不以取得本证书作为毕业条件")
    agreement = forms.ChoiceField(label=shape.LABELS["agreement"])

    def __init__(self, standing: Standing, *, typed: shape.Typed) -> None:
        super().__init__(initial={**typed})
        for name in [name for name in self.fields if name not in shape.names(standing.item)]:
            del self.fields[name]
        if "agreement" in self.fields:
            field: Any = self.fields["agreement"]
            field.choices = [("", "请选择"), *agreement_choices(standing)]
            if not typed["agreement"] and (
                only := standing.ground.agreement_of(standing.item, standing.facts)
            ):
                self.initial["agreement"] = str(only.pk)
        if not standing.item.application.round.allows_carry_over and not typed.get("carried_over"):
            del self.fields["carried_over"]


def agreement_choices(standing: Standing) -> list[tuple[str, str]]:
    """The school's own for the level that are in force; the chosen one stays even where it no longer is."""
    item, ground = standing.item, standing.ground
    rows = {agreement.pk: agreement for agreement in ground.usable(item)}
    if chosen := ground.agreement_of(item, standing.facts):
        rows.setdefault(chosen.pk, chosen)
    return [
        (
            str(row.pk),
            f"{row.evaluator} {row.reference} {row.fee} 元/人，"
            f"{full_day(row.signed_on)}签，至{full_day(row.valid_until)}",
        )
        for row in rows.values()
    ]


class FileField(forms.FileField):
    """One kind of an item's files."""

    def __init__(self, kind: str, *, many: bool) -> None:
        super().__init__(label=str(ItemFile.Kind(kind).label), required=False)
        widget = FilesInput if many else forms.FileInput
        self.widget = widget(attrs={"accept": ",".join(f".{e}" for e in EXTENSIONS), "data-kind": kind})


class FilesForm(forms.Form):
    """Several files at once; named by their kind."""

    plan = FileField(ItemFile.Kind.PLAN, many=False)
    equipment_files = FileField(ItemFile.Kind.EQUIPMENT, many=True)
    other = FileField(ItemFile.Kind.OTHER, many=True)

    KINDS = {
        "plan": ItemFile.Kind.PLAN,
        "equipment_files": ItemFile.Kind.EQUIPMENT,
        "other": ItemFile.Kind.OTHER,
    }

    @classmethod
    def uploads(cls, files: Any) -> Iterable[tuple[str, Any]]:
        """(kind, upload) of every file of a request."""
        for name, kind in cls.KINDS.items():
            for upload in files.getlist(name):
                yield str(kind), upload
