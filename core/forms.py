"""Forms: one look for every field, errors at the top and at the field."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.renderers import TemplatesSetting

from core import attachments

_CSS_CLASSES = {"select": "form-select", "checkbox": "form-check-input", "radio": "", "hidden": ""}


class PortalBoundField(forms.BoundField):
    """Gives each widget the class of the look, so that no form has to name it."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        # A group of ticks or radios hands its class on to its container: those get none.
        grouped = isinstance(widget, forms.CheckboxSelectMultiple | forms.RadioSelect)
        ours = "" if grouped else _CSS_CLASSES.get(getattr(widget, "input_type", ""), "form-control")
        if classes := " ".join(filter(None, [widget.attrs.get("class", ""), ours])):
            attrs["class"] = classes
        return attrs

    @property
    def is_tick(self) -> bool:
        """A single tick stands before its label."""
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def focus_id(self) -> str:
        """Where the error summary's link leads."""
        return self.id_for_label or str(self.auto_id)

    @property
    def lost_files(self) -> list[str]:
        """Names of the files that were sent with a form that comes back: no browser chooses them again. The
        error of a single file asks for another one already."""
        if not isinstance(self.field, forms.FileField) or not self.form.errors:
            return []
        sent = self.data if isinstance(self.data, list) else [self.data]
        names = [upload.name for upload in sent if upload]
        return [] if len(names) == 1 and self.errors else names


class FormRenderer(TemplatesSetting):
    form_template_name = "core/form.html"
    field_template_name = "core/field.html"
    bound_field_class = PortalBoundField


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class InstantInput(forms.DateTimeInput):
    """Typed and shown on the province's wall clock, to the minute."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class SearchSelect(forms.Select):
    """A select of very many, found by typing; without scripts it is the plain select.

    The page must show `form.media` (core/form_page.html does).
    """

    class Media:
        css = {"all": ["vendor/tom-select.min.css", "portal/search-select.css"]}
        js = [
            forms.Script("vendor/tom-select.complete.min.js", defer=True),
            forms.Script("portal/search-select.js", defer=True),
        ]

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"data-search": True, **(attrs or {})}, choices)


class SearchSelectMultiple(forms.SelectMultiple):
    """The same for several at once."""

    Media = SearchSelect.Media

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"data-search": True, **(attrs or {})}, choices)


def wrong_number(text: str) -> dict[str, str]:
    """Error messages of a field: whatever is wrong with its number, `text` says what to type."""
    faults = ("invalid", "min_value", "max_value", "max_digits", "max_decimal_places", "max_whole_digits")
    return dict.fromkeys(faults, text)


class VersionForm(forms.Form):
    """An answer to what was read: another version, made since, is not answered by this form."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class EvidenceField(forms.FileField):
    """Any number of checked files; cleans to a list, empty when none was chosen."""

    widget = FilesInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "附件")
        kwargs.setdefault("required", False)
        kwargs.setdefault("help_text", attachments.RULES)
        super().__init__(**kwargs)
        self.widget.attrs["accept"] = ",".join(f".{extension}" for extension in attachments.EXTENSIONS)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        uploads = [upload for upload in data or [] if upload]
        if not uploads:
            super().clean(None, initial)
        if len(uploads) > attachments.MOST_FILES:
            raise ValidationError(f"一次最多上传 {attachments.MOST_FILES} 个文件，请分次或合并后上传。")
        errors = []
        for upload in uploads:
            try:
                attachments.check(upload)
            except ValidationError as error:
                errors.extend(error.messages)
        if errors:
            raise ValidationError(errors)
        return uploads
