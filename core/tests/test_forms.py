"""One look for every field."""

import datetime as dt
import io
from decimal import Decimal

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields import BLANK_CHOICE_DASH
from django.utils.datastructures import MultiValueDict
from openpyxl import load_workbook

from core import clock
from core.exports import workbook
from core.forms import DayInput, EvidenceField, InstantInput
from core.tests.test_attachments import pdf


class TrialForm(forms.Form):
    name = forms.CharField(label="名称", help_text="<b>全称</b>")
    kind = forms.ChoiceField(label="类别", choices=[("a", "甲"), ("b", "乙")], widget=forms.RadioSelect)
    day = forms.DateField(label="日期", widget=DayInput, required=False)
    at = forms.DateTimeField(label="时刻", widget=InstantInput, required=False)
    agreed = forms.BooleanField(label="同意")
    files = EvidenceField()

    def clean(self):
        if self.data:
            raise forms.ValidationError("整体有误")


def test_errors_stand_at_the_top_and_at_the_field():
    page = str(TrialForm({"name": "", "kind": "c"}))
    assert '<a href="#id_name">名称：' in page
    assert "<li>整体有误</li>" in page
    assert 'id="id_name_error"' in page
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'aria-invalid="true"' in page
    assert "&lt;b&gt;全称" in page


def sent(*files, **given):
    chosen = MultiValueDict({"files": [SimpleUploadedFile(name, pdf()) for name in files]})
    return str(TrialForm({"name": "全称", "kind": "a", "agreed": "on", **given}, chosen))


def test_files_sent_with_a_form_that_comes_back_are_to_be_chosen_again():
    told = "选过的文件没有保留，请重新选择（方案.pdf、照片.pdf）。"
    assert sent("方案.pdf", "照片.pdf", name="").count(told) == 2
    assert "选过的文件" not in sent(name="")
    assert sent("方案.pdf", "照片.exe").count("选过的文件") == 2


def test_the_error_of_one_file_asks_for_another_already():
    page = sent("照片.exe")
    assert "照片.exe" in page
    assert "选过的文件" not in page


def test_fields_have_the_look_and_native_pickers():
    form = TrialForm(
        initial={"day": dt.date(2020, 11, 20), "at": dt.datetime(2020, 11, 20, 10, tzinfo=dt.UTC)}
    )
    page = str(form)
    assert str(form.as_div()) == page
    assert "error-summary" not in page
    assert 'class="form-control"' in page
    assert 'class="form-check-input"' in page
    assert 'type="date" name="day" value="2020-11-20"' in page
    assert 'value="2020-11-20T18:00"' in page
    assert "multiple" in page
    assert page.count("（选填）") == 3
    assert "<legend>类别</legend>" in page
    assert "style=" not in page


def test_an_instant_is_typed_on_the_provinces_clock():
    field = forms.DateTimeField(widget=InstantInput)
    assert clock.local(field.clean("2020-11-20T18:00")).isoformat() == "2020-11-20T18:00:00+08:00"


def test_a_workbook_without_rows_and_with_odd_cells():
    content, count = workbook("名/单", [["列"], ["\x00坏字符"], [True], [Decimal("1.50")], [None], ["@x"]])
    cells = [row[0].value for row in load_workbook(io.BytesIO(content)).active.iter_rows()]
    assert count == 5
    assert cells == ["列", "坏字符", "是", 1.5, None, "@x"]
    assert workbook("空", [])[1] == 0


def test_the_choice_that_is_none_asks_to_choose():
    class Form(forms.Form):
        kind = forms.TypedChoiceField(choices=[*BLANK_CHOICE_DASH, ("a", "甲")])

    assert "请选择" in str(Form())
    assert "---" not in str(Form())
