"""What a report looks like from outside: serializers, and the check that the pages make too."""

import re
from typing import Any

from rest_framework import exceptions, serializers

from core.numbers import MAX_FIGURE
from obligations.api import STATES
from reporting import content as shape
from reporting.forms import WeeklyForm
from reporting.models import ReportVersion, Summary, SummaryVersion, WeeklyReport
from reporting.sheet import Filing, Sheet
from reporting.summaries.scope import KINDS

SUMMARY_KINDS = [(kind.value, kind.label) for kind in KINDS]


class ReportSerializer(serializers.ModelSerializer):
    obligation = serializers.IntegerField(source="pk", read_only=True)
    organization = serializers.IntegerField(source="obligation.organization_id", read_only=True)
    organization_name = serializers.CharField(source="obligation.organization.name", read_only=True)
    period = serializers.IntegerField(source="obligation.period_id", read_only=True)
    key = serializers.CharField(source="obligation.key", read_only=True)
    state = serializers.ChoiceField(source="obligation.state", choices=STATES, read_only=True)
    version = serializers.IntegerField(source="current.number", read_only=True)
    receipt = serializers.CharField(source="current.receipt", read_only=True)
    received_at = serializers.DateTimeField(source="current.received_at", read_only=True)

    class Meta:
        model = WeeklyReport
        fields = [
            "obligation",
            "organization",
            "organization_name",
            "period",
            "key",
            "state",
            "version",
            "receipt",
            "received_at",
        ]


class VersionSerializer(serializers.ModelSerializer):
    submitted_by = serializers.CharField(source="submitted_by.name", read_only=True)
    content = serializers.DictField(help_text="programmes 以试点项目编号为键")

    class Meta:
        model = ReportVersion
        fields = ["number", "receipt", "received_at", "submitted_by", "is_zero", "content", "content_hash"]


class DetailSerializer(ReportSerializer):
    versions = VersionSerializer(many=True, read_only=True)

    class Meta(ReportSerializer.Meta):
        fields = [*ReportSerializer.Meta.fields, "versions"]


class SummarySerializer(ReportSerializer):
    kind = serializers.ChoiceField(source="obligation.kind", choices=SUMMARY_KINDS, read_only=True)

    class Meta(ReportSerializer.Meta):
        model = Summary
        fields = ["obligation", "kind", *ReportSerializer.Meta.fields[1:]]


class SummaryVersionSerializer(VersionSerializer):
    content = serializers.DictField(
        help_text="rows 以证书编号（评价组织）或试点项目编号（院校）为键：given、sums 由平台加总，said 由评价组织填报"
    )

    class Meta(VersionSerializer.Meta):
        model = SummaryVersion


class SummaryDetailSerializer(SummarySerializer):
    versions = SummaryVersionSerializer(many=True, read_only=True)

    class Meta(SummarySerializer.Meta):
        fields = [*SummarySerializer.Meta.fields, "versions"]


class SheetRowSerializer(serializers.Serializer):
    programme = serializers.IntegerField()
    name = serializers.CharField()
    before = serializers.DictField(allow_null=True, help_text="上次报送的累计数；本年度首报为 null")


class SheetSerializer(serializers.Serializer):
    obligation = serializers.IntegerField()
    filing = serializers.ChoiceField(choices=Filing.choices, help_text="此刻提交意味着什么")
    locked = serializers.BooleanField(help_text="此刻不接收")
    programmes = SheetRowSerializer(many=True)


class ReceiptSerializer(serializers.ModelSerializer):
    obligation = serializers.IntegerField(source="report_id", read_only=True)
    state = serializers.SerializerMethodField(help_text="收到后该报送任务的状态")

    class Meta:
        model = ReportVersion
        fields = ["receipt", "obligation", "number", "received_at", "is_zero", "state", "content_hash"]

    def get_state(self, version: ReportVersion) -> str:
        return self.context["obligation"].state


class RateSerializer(serializers.Serializer):
    owed = serializers.IntegerField()
    on_time = serializers.IntegerField()
    late = serializers.IntegerField()
    pending = serializers.IntegerField()
    missed = serializers.IntegerField(help_text="= excused + filled + never_filled")
    excused = serializers.IntegerField()
    filled = serializers.IntegerField()
    never_filled = serializers.IntegerField()
    exempt = serializers.IntegerField(help_text="不计入 owed")
    percent = serializers.FloatField(allow_null=True, help_text="填报率：按时与迟报")
    percent_on_time = serializers.FloatField(allow_null=True)


class AuthorityRateSerializer(serializers.Serializer):
    authority = serializers.IntegerField(allow_null=True, help_text="评价组织没有主管部门，为 null")
    name = serializers.CharField()
    rate = RateSerializer()


class RatesSerializer(serializers.Serializer):
    period = serializers.IntegerField(source="period.pk")
    key = serializers.CharField(source="period.key")
    total = RateSerializer()
    authorities = AuthorityRateSerializer(many=True)


# --- what a school's program sends


def _count() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=MAX_FIGURE)


def _text(most: int) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, default="", max_length=most)


class RowSerializer(serializers.Serializer):
    """One programme's figures, cumulative for the year."""

    programme = serializers.IntegerField(min_value=1, help_text="试点项目编号，见 sheet")
    in_training = _count()
    training_hours = serializers.DecimalField(
        max_digits=8, decimal_places=1, min_value=0, max_value=MAX_FIGURE
    )
    registered = _count()
    examined = _count()
    passed = _count()
    certified = _count()
    explanation = _text(shape.MAX_EXPLANATION)


class SubmissionSerializer(serializers.Serializer):
    is_zero = serializers.BooleanField(default=False, help_text="本周无新进展：数据照上次，不填 programmes")
    programmes = RowSerializer(
        many=True, required=False, default=list, help_text="每个试点项目一行，一个不缺"
    )
    teachers_trained = serializers.IntegerField(min_value=0, max_value=MAX_FIGURE, default=0)
    money_spent = serializers.DecimalField(
        max_digits=11, decimal_places=2, min_value=0, max_value=shape.MAX_MONEY, default=0, help_text="元"
    )
    work_done = _text(shape.MAX_TEXT)
    problems = _text(shape.MAX_TEXT)
    suggestions = _text(shape.MAX_TEXT)
    next_week = _text(shape.MAX_TEXT)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        figures = sent["programmes"] or sent["teachers_trained"] or sent["money_spent"]
        if sent["is_zero"] and figures:
            raise exceptions.ValidationError(
                {"is_zero": "无新进展的周报不带数据。请去掉各项数据，或把 is_zero 改为 false。"}
            )
        seen: set[int] = set()
        for index, row in enumerate(sent["programmes"]):
            if row["programme"] in seen:
                raise exceptions.ValidationError({f"programmes.{index}.programme": "同一试点项目出现两次。"})
            seen.add(row["programme"])
        return sent


def typed_of(sent: dict[str, Any]) -> shape.Typed:
    """What was sent, as if typed into the page's form."""
    rows = sent["programmes"]
    texts = {shape.field_name(row["programme"], name): row[name] for row in rows for name in row}
    texts |= {name: sent[name] for name in (*shape.WEEK_FIGURES, *shape.TEXTS)}
    filled = {name: str(value) for name, value in texts.items()} | {
        "is_zero": "on" if sent["is_zero"] else ""
    }
    return shape.typed_from(filled, [row["programme"] for row in rows])


def checked_content(sheet: Sheet, sent: dict[str, Any]) -> shape.Content:
    """Content that passed the very form of the pages. Raises ValidationError by field."""
    order = [str(row["programme"]) for row in sent["programmes"]]
    if not sent["is_zero"]:
        _refuse_other_programmes(sheet, order)
    form = WeeklyForm(sheet, typed_of(sent))
    if not form.is_valid():
        raise exceptions.ValidationError(dict(_told(form, order)))
    return form.content


def _refuse_other_programmes(sheet: Sheet, order: list[str]) -> None:
    errors = {
        f"programmes.{index}.programme": "不是本期要填的试点项目，见 sheet。"
        for index, pk in enumerate(order)
        if pk not in sheet.names
    }
    if missing := [f"{name}（{pk}）" for pk, name in sheet.names.items() if pk not in order]:
        errors["programmes"] = f"缺少：{'、'.join(missing)}。没有变化也要照填。"
    if errors:
        raise exceptions.ValidationError(errors)


def _told(form: WeeklyForm, order: list[str]) -> Any:
    for name, messages in form.errors.items():
        texts = [str(message) for message in messages]
        if found := re.fullmatch(r"p(\d+)-(\w+)", name):
            pk, part = found.groups()
            asked = form.asked.get(pk) if part == "explanation" else None
            why = f"{'；'.join(asked)}。" if asked else ""
            yield f"programmes.{order.index(pk)}.{part}", [why + text for text in texts]
        else:
            yield "non_field_errors" if name == "__all__" else name, texts
