"""Fill in, check your answers with what they would do, confirm."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import FormView


def require(allowed: bool, refusal: str) -> None:
    if not allowed:
        raise PermissionDenied(refusal)


class CheckedFormView(FormView):
    """A form whose answers are shown with their consequences before they are saved.

    The first POST only previews; the one from the page of answers carries `step=confirm`. What the
    service refuses comes back to the form with all that was typed.
    """

    template_name = "core/form_page.html"
    preview_template: str
    heading = ""
    intro = ""
    confirm_label = "确认保存"
    done = "已保存。"

    def check_right(self) -> None:
        """Raises PermissionDenied."""

    def preview(self, form: Any) -> dict[str, Any]:
        """Context of `preview_template`."""
        raise NotImplementedError

    def save(self, form: Any) -> None:
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.check_right()
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = {
            "heading": self.heading,
            "intro": self.intro,
            "submit_label": "预览",
            "cancel_url": self.get_success_url(),
        }
        return super().get_context_data(**frame, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        step = self.request.POST.get("step")
        if step == "edit":
            return self.render_to_response(self.get_context_data(form=form))
        try:
            if step == "confirm":
                self.save(form)
                messages.success(self.request, self.done)
                return redirect(self.get_success_url())
            preview = self.preview(form)
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        context = {
            "form": form,
            "heading": self.heading,
            "preview_template": self.preview_template,
            "confirm_label": self.confirm_label,
        }
        return render(self.request, "obligations/confirm.html", context | preview)
