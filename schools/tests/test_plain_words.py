"""What is wrong with an entry is told in the words of the form, not in the framework's."""

import pytest
from django import forms as django
from django.core import validators
from django.utils.datastructures import MultiValueDict

from funding.forms import fees, money
from schools.forms import agreements, applications, opinions, programmes, publications, reviews, rounds
from schools.forms import schools as kept
from schools.models import ResultList
from schools.tests.builders import make_application, make_item, make_round
from schools.workflow import review

PLAIN = (
    *(kept.SchoolForm, kept.ProgrammeForm, kept.EndForm, programmes.CoursesForm),
    *(publications.ProposeForm, publications.FollowForm, publications.ObjectionAnswerForm),
    *(publications.ReasonForm, agreements.ReasonForm, agreements.FilesForm, agreements.EndForm),
    *(rounds.RoundForm, opinions.GiveForm, opinions.WithdrawForm, opinions.RemoveForm),
    *(fees.CapForm, fees.FeePolicyForm, fees.ExamFormForm, fees.FileForm, fees.CommentForm),
    money.ArrivalForm,
)


def of_the_framework():
    controls = (django.Field, django.IntegerField, django.DecimalField, django.DateTimeField)
    told = [text for control in controls for text in control.default_error_messages.values()]
    told += [validators.EmailValidator.message, validators.MinValueValidator.message]
    told += [validators.MaxValueValidator.message]
    return {str(text).split("%")[0] for text in told}


def all_forms(world):
    round = make_round(year=2021)
    item = make_item(make_application(round, world.school), world.level)
    shown = ResultList(round=round, rows=[])
    yield from ((form, {}) for form in PLAIN)
    yield kept.PlanForm, {"programme": world.programme, "year": 2020}
    yield agreements.AgreementForm, {"user": world.contact}
    yield applications.AddItemsForm, {"application": item.application}
    yield opinions.AskForm, {"user": world.office}
    yield opinions.DeclineForm, {"item": item}
    yield opinions.InterestForm, {"user": world.office}
    yield publications.TakenDownForm, {"result_list": shown}
    yield reviews.DecisionForm, {"transition": review.transition("item_reject")}
    yield rounds.ExtensionForm, {"round": round}
    yield fees.StandardForm, {"user": world.evaluator_officer}
    yield money.AllocationForm, {"user": world.finance}


def typed(form, text):
    """`text` in every box that takes a number or a mail address."""
    numbers = (django.IntegerField, django.DecimalField, django.EmailField)
    names = [name for name, field in form.fields.items() if isinstance(field, numbers)]
    return MultiValueDict({name: [text] for name in names})


@pytest.mark.parametrize("text", ["", "两百", "-1", "0.005", "99999999999999999999"])
def test_an_empty_box_and_a_number_that_is_none(world, text):
    generic = of_the_framework()
    for kind, given in all_forms(world):
        form = kind(typed(kind(**given), text), {}, **given)
        told = [str(error) for field in form.visible_fields() for error in field.errors]
        assert not [line for line in told for start in generic if line.startswith(start)], (kind, told)
