"""Forms on application rounds. Instants typed are the province's own."""

import datetime as dt
from typing import Any

from django import forms

from accounts.models import Organization
from certificates.models import Certificate, Major
from core.forms import InstantInput, SearchSelect, wrong_number
from core.templatetags.portal import closing, when
from schools.content import MOST_PEOPLE
from schools.models import ApplicationRound, Closings, School
from schools.models.rounds import AUTHORITIES
from schools.services.extensions import settled, steps_of
from schools.services.rounds import (
    CELLS,
    FIELDS,
    PRESETS,
    STEPS,
    Routes,
    routes_of,
    standing_closings,
)

MIDNIGHT = "某日24:00截止的，填次日的00:00。"
YEAR_FIRST = 2019


class InstantField(forms.DateTimeField):
    widget = InstantInput
    default_error_messages = {"required": "请选择日期和时间。", "invalid": "请选择完整的日期和时间。"}


def cell_name(kind: str, authority: str) -> str:
    return f"route_{kind}_{authority}"


class RoundForm(forms.Form):
    """A round's calendar, its rules and, for each kind and authority, whether the city reviews first."""

    year = forms.IntegerField(
        label="年度",
        min_value=YEAR_FIRST,
        max_value=2100,
        error_messages={"required": "请填写年度。"} | wrong_number(f"请填写 {YEAR_FIRST} 到 2100 的年度。"),
    )
    number = forms.IntegerField(
        label="批次",
        min_value=1,
        max_value=99,
        help_text="该年度第几批。",
        error_messages={"required": "请填写批次。"} | wrong_number("请填写 1 到 99 的整数。"),
    )
    document = forms.CharField(label="通知文号", max_length=120, required=False)
    note = forms.CharField(label="申报说明", required=False, widget=forms.Textarea(attrs={"rows": 4}))
    opens_at = InstantField(label="开始申报")
    school_closes_at = InstantField(label="院校填报截止", help_text=f"到这一刻为止，不含这一刻。{MIDNIGHT}")
    city_closes_at = InstantField(label="市级初审截止", help_text=MIDNIGHT)
    province_closes_at = InstantField(label="省级审核截止", help_text=MIDNIGHT)
    kinds = forms.MultipleChoiceField(
        label="可申报的办学类型",
        choices=School.Kind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="技工学校不能申报（鄂教职成办函〔2021〕7号 二；晋教职成〔2020〕9号 三.1）。",
        error_messages={"required": "请至少选一类可以申报的院校。"},
    )
    catalogue = forms.ChoiceField(
        label="专业目录版本",
        required=False,
        help_text="不选则各版本的专业都可以填（鄂教职成办函〔2021〕7号 四.4）。",
    )
    minimum_candidates = forms.IntegerField(
        label="每个证书等级最少人数",
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        help_text="不填则不限。",
        error_messages=wrong_number(f"请填写 1 到 {MOST_PEOPLE} 的整数；不限的不填。"),
    )
    allows_carry_over = forms.BooleanField(
        label="允许沿用上年未用完的计划人数",
        required=False,
        help_text="沿用的人数计入本年计划总数（鄂教职成办函〔2021〕7号 四.4）。",
    )
    closed_batches = forms.MultipleChoiceField(
        label="不再新增试点单位的证书批次",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="选中的批次，只有已经试点的院校可以续报计划（鄂教职成办函〔2021〕7号 四.4）。",
    )

    def __init__(self, *args: Any, round: ApplicationRound | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        batches = (
            Certificate.objects.exclude(batch="").order_by("batch").values_list("batch", flat=True).distinct()
        )
        catalogues = Major.objects.order_by("catalogue").values_list("catalogue", flat=True).distinct()
        kept = [round.catalogue] if round and round.catalogue else []
        closed = round.closed_batches if round else []
        self.fields["closed_batches"].choices = [(b, f"第{b}批") for b in sorted({*batches, *closed})]
        self.fields["catalogue"].choices = [("", "不限"), *((c, c) for c in sorted({*catalogues, *kept}))]
        for kind, authority in CELLS:
            self.fields[cell_name(kind, authority)] = forms.BooleanField(
                label=f"{dict(AUTHORITIES)[authority]}{School.Kind(kind).label}", required=False
            )

    @property
    def plain(self) -> list[forms.BoundField]:
        """All but the routes; where no certificate names its batch, there is none to close."""
        hidden = set() if self.fields["closed_batches"].choices else {"closed_batches"}
        return [self[name] for name in self.fields if not name.startswith("route_") and name not in hidden]

    @property
    def grid(self) -> list[tuple[str, list[tuple[str, forms.BoundField]]]]:
        """(kind, [(authority, field)]) for the table of routes."""
        return [
            (label, [(word, self[cell_name(kind, authority)]) for authority, word in AUTHORITIES])
            for kind, label in School.Kind.choices
        ]

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in FIELDS}

    def routes(self) -> Routes:
        return {cell: self.cleaned_data[cell_name(*cell)] for cell in CELLS}

    def answers(self) -> list[tuple[str, str]]:
        """(label, words) as they are checked; what was left empty is left out."""
        shown = [(str(self[name].label), self._shown(name)) for name in FIELDS]
        return [
            (label, text) for label, text in [*shown, *routes_in_words(self.routes(), self._kinds)] if text
        ]

    @property
    def _kinds(self) -> list[str]:
        return list(self.cleaned_data["kinds"])

    def _shown(self, name: str) -> str:
        value = self.cleaned_data[name]
        if isinstance(value, dt.datetime):
            return when(value) if name == "opens_at" else closing(value)
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, list):
            labels = dict(self.fields[name].choices)
            return "、".join(str(labels[item]) for item in value)
        return "" if value is None else str(value)


def initial_of(round: ApplicationRound) -> dict[str, Any]:
    return {name: getattr(round, name) for name in FIELDS} | cells(routes_of(round))


def cells(routes: Routes) -> dict[str, bool]:
    return {cell_name(*cell): through for cell, through in routes.items()}


def preset_cells(name: str) -> dict[str, bool]:
    """Raises KeyError for no preset of that name."""
    return cells(PRESETS[name][2])


def routes_in_words(routes: Routes, kinds: list[str]) -> list[tuple[str, str]]:
    """[(经市级初审, kinds…), (直接报省, kinds…)] of the kinds that may apply; a kind whose two authorities
    go the same way stands once."""
    words: dict[bool, list[str]] = {True: [], False: []}
    for kind in kinds:
        ways = [(word, routes.get((kind, str(authority)), False)) for authority, word in AUTHORITIES]
        label = str(School.Kind(kind).label)
        if len({through for _, through in ways}) == 1:
            words[ways[0][1]].append(label)
            continue
        for word, through in ways:
            words[through].append(f"{word}{label}")
    return [("经市级初审", "、".join(words[True])), ("直接报省审核", "、".join(words[False]))]


class ExtensionForm(forms.Form):
    """Later closings; what is left empty stays as it is."""

    organization = forms.ModelChoiceField(
        label="延期对象",
        queryset=Organization.objects.none(),
        required=False,
        empty_label="全部院校",
        widget=SearchSelect,
        help_text="只为一所院校延期的，选这所院校；其他院校不受影响。",
    )
    school_closes_at = InstantField(label="院校填报截止改为", required=False)
    city_closes_at = InstantField(label="市级初审截止改为", required=False)
    province_closes_at = InstantField(label="省级审核截止改为", required=False)
    reason = forms.CharField(
        label="理由",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="学校和审核部门都会看到。",
        error_messages={"required": "请写明延期的理由，学校和审核部门都会看到。"},
    )

    def __init__(self, *args: Any, round: ApplicationRound, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.round = round
        schools = Organization.objects.filter(school__in=School.objects.eligible(round.kinds))
        self.fields["organization"].queryset = schools.order_by("code")
        for name, instant in zip(STEPS, standing_closings(round, None), strict=True):
            self.fields[name].help_text = f"现为{closing(instant)}；不改则不填。{MIDNIGHT}"
        self.fields["city_closes_at"].help_text += "只为直接报省的院校延期的，不必填。"

    def standing(self) -> Closings:
        return standing_closings(self.round, self.cleaned_data["organization"])

    def closings(self) -> Closings:
        """What was typed, else what stands; as it will be kept."""
        typed = (self.cleaned_data[name] for name in STEPS)
        new = Closings(*(new or old for new, old in zip(typed, self.standing(), strict=True)))
        return settled(self.round, self.cleaned_data["organization"], new)

    def moves(self) -> list[tuple[str, dt.datetime, dt.datetime]]:
        """(step, until now, from now on) of the steps that the school or schools go through."""
        steps = steps_of(self.round, self.cleaned_data["organization"])
        rows = zip(STEPS, self.standing(), self.closings(), strict=True)
        return [
            (str(self.fields[name].label).removesuffix("改为"), old, new)
            for name, old, new in rows
            if name in steps
        ]

    def answers(self) -> list[tuple[str, str]]:
        organization = self.cleaned_data["organization"]
        return [("延期对象", str(organization or "全部院校")), ("理由", self.cleaned_data["reason"])]
