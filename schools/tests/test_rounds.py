"""Application rounds: Hubei's calendar at its exact instants, extensions, routes, and the pages."""

import datetime as dt
import io

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounts.models import Organization
from core import clock
from core.models import Event, Notice
from core.templatetags import portal
from schools import eligibility
from schools.forms.rounds import ExtensionForm
from schools.models import ApplicationRound, Closings, RoundExtension, School
from schools.services import duties
from schools.services import rounds as services
from schools.services.extensions import extend
from schools.services.rounds import CELLS, PRESETS
from schools.tests.builders import make_application, make_item
from schools.tests.hubei import CITY, MICROSECOND, OPENS, PROVINCE, SCHOOL, fields, hand_in, hubei, sh

DAY = dt.timedelta(days=1)


@pytest.fixture
def round(world):
    return hubei(world)


def put_off(world, round, organization=None, reason="机房停电", **steps):
    """Extend the named steps, the others as they stand."""
    closings = services.standing_closings(round, organization)
    new = [steps.get(name, old) for name, old in zip(services.STEPS, closings, strict=True)]
    return extend(
        round=round,
        organization=organization,
        closings=Closings(*new),
        reason=reason,
        by=world.office,
        at=clock.now(),
    )


def told(step):
    """(recipient's sign-in name, text) of the notices of a step of the round."""
    return set(Notice.objects.filter(key__contains=step).values_list("recipient__username", flat=True))


# --- Hubei's calendar


def test_the_closing_is_shown_as_the_night_before(world, round):
    world.at(sh("2020-12-30T12:00:00"))
    assert portal.closing(SCHOOL) == "2021年5月24日（星期一）24:00"
    world.at(sh("2021-05-24T21:30:00"))
    assert portal.closing(SCHOOL) == "5月24日（星期一）24:00"
    assert portal.left(SCHOOL) == "还剩 2小时30分钟"
    assert portal.closing(CITY) == "5月27日（星期四）24:00"
    assert portal.closing(PROVINCE) == "5月31日（星期一）24:00"
    assert portal.closing(sh("2021-05-25T18:00:00")) == portal.when(sh("2021-05-25T18:00:00"))
    assert portal.closing(None) == ""


@pytest.mark.parametrize(
    ("state", "returned_from", "closing"),
    [("draft", "", SCHOOL), ("returned", "submitted", CITY), ("returned", "first_reviewed", PROVINCE)],
)
def test_every_step_is_open_until_its_instant_and_closed_at_it(world, round, state, returned_from, closing):
    application = make_application(round, world.school, reviewer=world.bureau)
    item = make_item(application, world.level, state=state, returned_from=returned_from)
    assert eligibility.deadline(item) == closing
    assert eligibility.closed(item, closing - MICROSECOND) == []
    assert "截止" in eligibility.closed(item, closing)[0]
    assert eligibility.closed(item, OPENS - MICROSECOND)
    if state == "draft":
        assert eligibility.closed(item, OPENS) == []


def test_one_school_is_given_time_and_nobody_else(world, round):
    world.at(sh("2021-05-24T20:00:00"))
    until = sh("2021-05-26T00:00:00")
    put_off(world, round, world.school_org, school_closes_at=until)
    fresh = ApplicationRound.objects.get()
    assert fresh.closings_of(world.school_org.pk) == Closings(until, CITY, PROVINCE)
    assert fresh.closings_of(world.other_school_org.pk) == fresh.closings == Closings(SCHOOL, CITY, PROVINCE)
    mine = make_item(make_application(round, world.school), world.level, state="draft")
    other = make_item(make_application(round, world.other_school), world.level, state="draft")
    assert not eligibility.closed(mine, until - MICROSECOND)
    assert eligibility.closed(mine, until)
    assert not eligibility.closed(other, SCHOOL - MICROSECOND)
    assert eligibility.closed(other, SCHOOL)


def test_a_named_extension_tells_that_school_and_its_reviewer(world, round):
    put_off(world, round, world.school_org, school_closes_at=SCHOOL + DAY)
    assert told("extension") == {"contact", "city_officer"}
    text = Notice.objects.filter(key__contains="extension").first().text
    assert "为太原演示职业学校延期" in text
    assert "院校填报截止延至5月25日（星期二）24:00" in text
    assert "机房停电" in text
    event = Event.objects.get(action="round_extended")
    assert (event.reason, event.organization_id) == ("机房停电", world.school_org.pk)
    shown = dict(portal.changed_fields(event))
    assert shown["院校填报截止"] == "5月24日（星期一）24:00 → 5月25日（星期二）24:00"
    assert "市级初审截止" not in shown


def test_an_extension_for_all_tells_all(world, round):
    put_off(world, round, province_closes_at=PROVINCE + DAY)
    assert told("extension") == {"contact", "other_contact", "city_officer", "other_city_officer"}


# --- refusals


@pytest.mark.parametrize(
    ("step", "new", "says"),
    [
        ("school_closes_at", SCHOOL - MICROSECOND, "延期只能往后"),
        ("city_closes_at", CITY - DAY, "延期只能往后"),
        ("province_closes_at", PROVINCE - DAY, "延期只能往后"),
        ("school_closes_at", CITY + MICROSECOND, "不能早于院校填报截止"),
        ("city_closes_at", PROVINCE + DAY, "不能早于市级初审截止"),
    ],
)
def test_steps_move_later_only_and_keep_their_order(world, round, step, new, says):
    with pytest.raises(ValidationError, match=says):
        put_off(world, round, **{step: new})
    assert not RoundExtension.objects.exists()


def test_an_extension_wants_a_reason_a_change_and_a_future(world, round):
    with pytest.raises(ValidationError, match="理由"):
        put_off(world, round, reason=" ", school_closes_at=SCHOOL + DAY)
    with pytest.raises(ValidationError, match="没有变"):
        put_off(world, round)
    world.at(SCHOOL + DAY)
    with pytest.raises(ValidationError, match="已经过去"):
        put_off(world, round, school_closes_at=SCHOOL + DAY)
    put_off(world, round, school_closes_at=SCHOOL + DAY + MICROSECOND)


def test_no_extension_for_a_school_that_may_not_apply(world):
    round = hubei(world, kinds=[School.Kind.HIGHER_VOCATIONAL.value])
    with pytest.raises(ValidationError, match="不在本批次"):
        put_off(world, round, world.school_org, school_closes_at=SCHOOL + DAY)
    with pytest.raises(ValidationError, match="不在本批次"):
        put_off(world, round, world.bureau, school_closes_at=SCHOOL + DAY)


@pytest.mark.parametrize("left", ["", "submitted", "first_reviewed", "returned", "approved"])
def test_nothing_is_extended_once_the_results_stand_and_nothing_is_left(world, round, left):
    item = make_item(make_application(round, world.school), world.level, state="approved")
    other = make_application(round, world.other_school)
    make_item(other, world.level, state=left or "rejected")
    for number, state in ((1, "draft"), (3, "approved")):  # its programme has ended since
        make_item(other, world.level.certificate.levels.create(level=number), state=state)
    round.lists.create(
        kind="final",
        title="结果",
        rows=[{"item": item.pk}],
        published_by=world.office,
        published_at=clock.now(),
    )
    if left:
        put_off(world, round, province_closes_at=PROVINCE + DAY)
    else:
        with pytest.raises(ValidationError, match="已经公布"):
            put_off(world, round, province_closes_at=PROVINCE + DAY)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"opens_at": SCHOOL}, "school_closes_at"),
        ({"city_closes_at": SCHOOL - MICROSECOND}, "city_closes_at"),
        ({"province_closes_at": CITY - MICROSECOND}, "province_closes_at"),
        ({"kinds": []}, "kinds"),
    ],
)
def test_a_round_out_of_order_is_refused_at_the_field(world, changed, field):
    with pytest.raises(ValidationError) as refused:
        hubei(world, **changed)
    assert list(refused.value.message_dict) == [field]


def test_a_round_stands_once_and_is_not_opened_after_its_closing(world, round):
    with pytest.raises(ValidationError, match="已经建立"):
        hubei(world)
    with pytest.raises(ValidationError, match="已经过去"):
        hubei(world, at="2021-05-25T00:00:00", number=2)


def test_steps_may_close_together(world):
    assert hubei(world, city_closes_at=SCHOOL, province_closes_at=SCHOOL).closings == (SCHOOL, SCHOOL, SCHOOL)


# --- changing


def change(world, round, by=None, routes=None, **changed):
    return services.change_round(
        round=round,
        fields=fields(**changed),
        routes=routes or services.routes_of(round),
        by=by or world.office,
        at=clock.now(),
    )


def test_a_round_is_changed_freely_until_somebody_hands_in(world, round):
    make_application(round, world.school)
    assert change(world, round, minimum_candidates=30).minimum_candidates == 30
    assert change(world, round, routes=PRESETS["shanxi"][2], minimum_candidates=30)
    assert all(services.routes_of(ApplicationRound.objects.get()).values())
    assert Event.objects.filter(action="round_changed").count() == 2


@pytest.mark.parametrize("name", ["school_closes_at", "city_closes_at", "province_closes_at"])
def test_no_closing_is_set_that_is_already_past(world, round, name):
    make_application(round, world.school)
    closings = dict.fromkeys(services.STEPS[: services.STEPS.index(name) + 1], OPENS + DAY)
    world.at(OPENS + DAY)
    with pytest.raises(ValidationError) as refused:
        change(world, round, **closings)
    assert "已经过去" in refused.value.message_dict[name][0]
    world.at(OPENS + DAY - MICROSECOND)
    assert change(world, round, **closings).closings == ApplicationRound.objects.get().closings


def test_then_only_its_texts(world, round):
    hand_in(world.contact, make_application(round, world.school))
    with pytest.raises(ValidationError, match="延期"):
        change(world, round, school_closes_at=SCHOOL + DAY)
    with pytest.raises(ValidationError, match="延期"):
        change(world, round, routes=PRESETS["shanxi"][2])
    assert change(world, round, note="材料用 PDF").note == "材料用 PDF"


def test_a_changed_closing_moves_what_is_owed(world, round):
    duty = duties.applicant(make_application(round, world.school), at=clock.now())
    change(world, round, school_closes_at=SCHOOL + DAY)
    duty.refresh_from_db()
    assert duty.due_at == SCHOOL + DAY
    assert told("changed") == {"contact", "other_contact", "city_officer", "other_city_officer"}


def test_saving_without_a_change_tells_nobody(world, round):
    change(world, round)
    assert not told("changed")


def test_only_the_office_keeps_rounds(world, round):
    for user in (world.city_officer, world.contact, world.leading, world.auditor):
        with pytest.raises(PermissionDenied, match="省推进办"):
            services.open_round(fields=fields(number=2), routes=PRESETS["hubei"][2], by=user, at=clock.now())
        with pytest.raises(PermissionDenied, match="省推进办"):
            change(world, round, by=user, note="x")


# --- who reviews first


def as_kind(world, kind, supervisor=None):
    School.objects.filter(pk=world.school.pk).update(kind=kind)
    if supervisor:
        type(world.school_org).objects.filter(pk=world.school_org.pk).update(supervisor=supervisor)
    return School.objects.select_related("organization__supervisor").get(pk=world.school.pk)


@pytest.mark.parametrize(
    ("preset", "kind", "of_province", "through"),
    [
        ("hubei", "secondary_vocational", False, True),
        ("hubei", "secondary_vocational", True, False),
        ("hubei", "higher_vocational", False, False),
        ("hubei", "higher_vocational", True, False),
        ("hubei", "applied_bachelor", True, False),
        ("hubei", "open_university", True, False),
        ("shanxi", "secondary_vocational", False, True),
        ("shanxi", "secondary_vocational", True, True),
        ("shanxi", "higher_vocational", True, True),
        ("shanxi", "vocational_bachelor", True, True),
    ],
)
def test_routes_of_hubei_and_shanxi(world, preset, kind, of_province, through):
    round = hubei(world, preset=preset)
    school = as_kind(world, kind, world.province if of_province else None)
    assert round.reviewer_of(school) == (world.bureau if through else None)


def test_a_place_without_a_bureau_goes_straight(world):
    round = hubei(world, preset="shanxi")
    school = as_kind(world, "higher_vocational", world.province)
    school.organization.city = None
    assert round.reviewer_of(school) is None


def test_opening_tells_who_may_apply_and_who_reviews(world, round):
    assert told("opened") == {"contact", "other_contact", "city_officer", "other_city_officer"}
    assert {r.through_city for r in round.routes.all()} == {True, False}
    assert round.routes.count() == len(CELLS) == 10


def test_kinds_that_may_not_apply_are_not_told(world):
    as_kind(world, "higher_vocational")
    hubei(world, kinds=["higher_vocational"])
    assert told("opened") == {"contact"}


# --- properties


offsets = st.integers(min_value=-3, max_value=6)


@settings(max_examples=40)
@given(moves=st.lists(st.tuples(st.booleans(), offsets, offsets, offsets), max_size=5))
def test_extensions_never_move_a_step_earlier_and_the_latest_wins(world, moves):
    RoundExtension.objects.all().delete()
    round = ApplicationRound.objects.first() or hubei(world)
    world.at(sh("2021-05-20T09:00:00"))
    for named, *days in moves:
        organization = world.school_org if named else None
        before = {
            o.pk: ApplicationRound.objects.get().closings_of(o.pk)
            for o in (world.school_org, world.other_school_org)
        }
        new = Closings(*(c + d * DAY for c, d in zip(round.closings, days, strict=True)))
        try:
            extend(
                round=round,
                organization=organization,
                closings=new,
                reason="雨",
                by=world.office,
                at=clock.now(),
            )
        except ValidationError:
            continue
        mine, other = (ApplicationRound.objects.get().closings_of(pk) for pk in before)
        assert all(later >= old for later, old in zip(mine, before[world.school_org.pk], strict=True))
        assert mine.school <= mine.city <= mine.province
        assert mine == Closings(*map(max, zip(before[world.school_org.pk], new, strict=True)))
        if named:
            assert other == before[world.other_school_org.pk]


@settings(max_examples=60)
@given(
    day=st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)), minute=st.integers(0, 24 * 60 - 1) | st.just(0)
)
def test_only_midnight_is_told_otherwise_and_by_the_day_that_ends_with_it(world, day, minute):
    instant = clock.at(day, dt.time(minute // 60, minute % 60))
    words = portal.closing(instant)
    if minute:
        assert words == portal.when(instant)
    else:
        assert words == f"{portal.day(day - DAY)}24:00"


# --- pages


ROLES = {
    "office": (200, 200, 200, 200),
    "finance": (200, 200, 403, 200),
    "leading": (200, 200, 403, 200),
    "auditor": (200, 200, 403, 200),
    "city_officer": (200, 200, 403, 200),
    "contact": (200, 200, 403, 403),
    "leader": (200, 200, 403, 403),
    "expert": (403, 403, 403, 403),
    "evaluator_officer": (403, 404, 404, 404),
    "coordinator": (403, 404, 404, 404),
    "third_party": (403, 404, 404, 404),
    "learner": (403, 404, 404, 404),
}


@pytest.mark.parametrize(("role", "answers"), ROLES.items())
def test_each_role_at_each_address(world, round, client_for, role, answers):
    client = client_for(getattr(world, role))
    pages = [reverse("rounds:list")] + [
        reverse(f"rounds:{name}", args=[round.pk]) for name in ("detail", "extend", "progress")
    ]
    assert tuple(client.get(page).status_code for page in pages) == answers
    edit = client.get(reverse("rounds:edit", args=[round.pk])).status_code
    assert edit == answers[2]
    assert client.get(reverse("rounds:new")).status_code == (200 if role == "office" else 403)


def test_the_calendar_is_told_with_weekdays_and_without_midnight(world, round, client_for):
    world.at(sh("2021-05-24T12:00:00"))
    page = client_for(world.contact).get(reverse("rounds:detail", args=[round.pk])).content.decode()
    for words in (
        "5月14日（星期五）00:00",
        "5月24日（星期一）24:00",
        "5月27日（星期四）24:00",
        "还剩 12小时",
    ):
        assert words in page
    assert "5月25日（星期二）00:00" not in page


def test_a_school_sees_its_own_extension_and_no_others(world, round, client_for):
    put_off(world, round, world.school_org, reason="洪水停课", school_closes_at=SCHOOL + DAY)
    address = reverse("rounds:detail", args=[round.pk])
    mine = client_for(world.contact).get(address).content.decode()
    assert "洪水停课" in mine
    assert "已为本校延期" in mine
    other = client_for(world.other_contact).get(address).content.decode()
    assert "洪水停课" not in other
    assert "延期）" not in other
    assert "洪水停课" not in client_for(world.other_city_officer).get(address).content.decode()
    assert "洪水停课" in client_for(world.city_officer).get(address).content.decode()


def test_the_contact_begins_and_the_leader_reads(world, round, client_for):
    world.at(OPENS)
    begin = reverse("applications:start", args=[round.pk])
    assert begin in client_for(world.contact).get(reverse("rounds:list")).content.decode()
    assert begin not in client_for(world.leader).get(reverse("rounds:list")).content.decode()
    application = make_application(round, world.school)
    page = client_for(world.contact).get(reverse("rounds:list")).content.decode()
    assert begin not in page
    assert reverse("applications:detail", args=[application.pk]) in page
    world.at(SCHOOL)
    assert begin not in client_for(world.other_contact).get(reverse("rounds:list")).content.decode()


def test_progress_says_where_every_school_stands(world, round, client_for):
    third = world.add_school("太原第三职业学校")
    application = make_application(round, world.school, reviewer=world.bureau)
    for number, state in enumerate(["submitted", "returned", "approved"], 1):
        level = world.level.certificate.levels.get_or_create(level=number)[0]
        make_item(application, level, state=state)
    make_item(make_application(round, third), world.level, state="draft")
    address = reverse("rounds:progress", args=[round.pk])
    office = client_for(world.office)
    rows = {r.record.pk: r for r in office.get(address).context["table"].rows}
    assert rows[world.school.pk].get_cell_value("standing") == "已提交3项"
    assert [
        rows[world.school.pk].get_cell(n) for n in ("first", "second", "returned", "approved", "rejected")
    ] == [
        1,
        0,
        1,
        1,
        0,
    ]
    assert rows[third.pk].get_cell_value("standing") == "填写中"
    assert rows[world.other_school.pk].get_cell_value("standing") == "未申报"

    def found(query, client=office):
        return {r.record.pk for r in client.get(f"{address}?{query}").context["table"].rows}

    assert found("standing=none") == {world.other_school.pk}
    assert found("standing=begun") == {third.pk}
    assert (
        found("standing=handed_in")
        == found("standing=returned")
        == found("standing=first")
        == {world.school.pk}
    )
    assert found("standing=rejected") == set()
    assert found("", client_for(world.city_officer)) == {world.school.pk, third.pk}
    assert found("", client_for(world.other_city_officer)) == {world.other_school.pk}
    put_off(world, round, world.other_school_org, school_closes_at=SCHOOL + DAY)
    assert found("extended=True") == {world.other_school.pk}
    for sort in ("standing", "-approved", "organization", "kind", "supervisor"):
        assert office.get(f"{address}?sort={sort}").status_code == 200
    assert office.post(address)["Content-Type"].startswith("application/vnd")


def test_a_city_sees_the_provinces_schools_that_it_reviews(world, client_for):
    round = hubei(world, preset="shanxi")
    school = as_kind(world, "higher_vocational", world.province)
    make_application(round, school, reviewer=world.bureau)
    page = client_for(world.city_officer).get(reverse("rounds:progress", args=[round.pk]))
    assert school.pk in {r.record.pk for r in page.context["table"].rows}


def test_the_list_tells_the_closings_in_force(world, round, client_for):
    put_off(world, round, school_closes_at=SCHOOL + DAY)
    put_off(world, round, world.school_org, city_closes_at=CITY + DAY)
    client, address = client_for(world.auditor), reverse("rounds:list")
    page = client.get(address).content.decode()
    assert portal.closing(SCHOOL + DAY) in page
    assert portal.closing(SCHOOL) not in page
    assert portal.closing(CITY) in page
    sheet = load_workbook(io.BytesIO(client.post(address).content)).active
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "2021-05-26 00:00" in cells
    assert "2021-05-25 00:00" not in cells


@pytest.mark.parametrize("ours", [True, False])
def test_the_home_shows_a_round_as_long_as_ones_own_school_has_time(world, round, client_for, ours):
    """Held up by an extension for all or for the school itself, not by another's."""
    late = PROVINCE + 5 * DAY
    steps = dict.fromkeys(services.STEPS, late)
    put_off(world, round, world.school_org if ours else world.other_school_org, **steps)
    world.at(late - MICROSECOND)
    assert (str(round) in client_for(world.contact).get("/").content.decode()) == ours
    world.at(late)
    assert str(round) not in client_for(world.contact).get("/").content.decode()


def test_the_preview_names_the_schools_that_lack_the_bureau_they_would_go_through(world, client_for):
    """The province's, of no city or of one without a bureau: they go straight to the province."""
    world.at(sh("2021-05-10T09:00:00"))
    college = world.add_school("省属甲职业学院")
    lost = world.add_school("省属乙职业学院")
    Organization.objects.filter(pk__in=[college.pk, lost.pk]).update(supervisor=world.province)
    Organization.objects.filter(pk=lost.pk).update(city=None)
    client, cell = client_for(world.office), {"route_secondary_vocational_province": "on"}
    page = client.post(reverse("rounds:new"), typed(**cell)).content.decode()
    assert "省属乙职业学院" in page
    assert "省属甲职业学院" not in page
    assert "省属乙职业学院" not in client.post(reverse("rounds:new"), typed()).content.decode()
    round = hubei(world, at="2021-05-10T09:00:00", preset="shanxi")
    assert round.reviewer_of(School.objects.get(pk=lost.pk)) is None
    assert round.reviewer_of(School.objects.get(pk=college.pk)) == world.bureau
    changed = client.post(reverse("rounds:edit", args=[round.pk]), typed(**cell)).content.decode()
    assert "省属乙职业学院" in changed


@pytest.mark.parametrize("name", ["list", "detail", "progress"])
def test_pages_cost_the_same_for_one_and_three(world, round, client_for, name):
    client = client_for(world.office)
    address = reverse(f"rounds:{name}", args=[] if name == "list" else [round.pk])

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    make_item(make_application(round, world.school), world.level)
    put_off(world, round, world.school_org, school_closes_at=SCHOOL + DAY)
    client.get(address)
    one = queries()
    for number in (2, 3):
        hubei(world, number=number)
        school = world.add_school(f"太原第{number}职业学校")
        make_item(make_application(round, school), world.level)
        put_off(world, round, school.organization, school_closes_at=SCHOOL + DAY)
    assert queries() == one <= 20


# --- the office's forms


def typed(**changed):
    data = {
        "year": "2021",
        "number": "1",
        "document": "鄂教职成办函〔2021〕7号",
        "opens_at": "2021-05-14T00:00",
        "school_closes_at": "2021-05-25T00:00",
        "city_closes_at": "2021-05-28T00:00",
        "province_closes_at": "2021-06-01T00:00",
        "kinds": ["secondary_vocational", "higher_vocational"],
        "route_secondary_vocational_city": "on",
        **changed,
    }
    return {name: value for name, value in data.items() if value is not None}


def test_opening_checks_in_words_before_it_saves(world, client_for):
    world.at(sh("2021-05-10T09:00:00"))
    client = client_for(world.office)
    checked = client.post(reverse("rounds:new"), typed()).content.decode()
    assert not ApplicationRound.objects.exists()
    assert not Notice.objects.filter(key__startswith="round:").exists()
    for words in ("5月24日（星期一）24:00", "5月27日（星期四）24:00", "经市级初审", "市属中等职业学校"):
        assert words in checked
    saved = client.post(reverse("rounds:new"), typed(step="confirm"))
    assert saved.status_code == 302
    assert ApplicationRound.objects.get().closings == (SCHOOL, CITY, PROVINCE)
    assert services.routes_of(ApplicationRound.objects.get())["secondary_vocational", "city"] is True


def test_a_preset_fills_the_routes_and_keeps_what_was_typed(world, client_for):
    page = client_for(world.office).post(reverse("rounds:new"), typed(preset="shanxi", document="晋一号"))
    assert page.status_code == 200
    form = page.context["form"]
    assert form.initial["document"] == "晋一号"
    assert form.initial["kinds"] == ["secondary_vocational", "higher_vocational"]
    assert all(form[f"route_{k}_{a}"].value() for k, a in CELLS)
    assert "2021-05-25T00:00" in page.content.decode()


def test_a_wrong_order_comes_back_with_all_that_was_typed(world, client_for):
    world.at(sh("2021-05-10T09:00:00"))
    page = client_for(world.office).post(reverse("rounds:new"), typed(city_closes_at="2021-05-24T00:00"))
    body = page.content.decode()
    assert "不能早于院校填报截止" in body
    assert "2021-05-24T00:00" in body


def test_a_new_round_begins_with_the_rules_of_the_last(world, round, client_for):
    initial = client_for(world.office).get(reverse("rounds:new")).context["form"].initial
    assert initial["closed_batches"] == ["1", "2"]
    assert initial["route_secondary_vocational_city"] is True
    assert initial["route_higher_vocational_city"] is False


def test_editing_keeps_what_stands(world, round, client_for):
    client = client_for(world.office)
    address = reverse("rounds:edit", args=[round.pk])
    initial = client.get(address).context["form"].initial
    assert initial["school_closes_at"] == SCHOOL
    sent = typed(note="材料用 PDF", step="confirm", kinds=School.Kind.values, allows_carry_over="on")
    assert client.post(address, sent).status_code == 302
    assert ApplicationRound.objects.get().note == "材料用 PDF"


def test_extending_shows_what_follows_and_then_does_it(world, round, client_for):
    duties.applicant(make_application(round, world.school), at=clock.now())
    duties.lapse(world.at(SCHOOL + DAY))
    client = client_for(world.office)
    address = reverse("rounds:extend", args=[round.pk])
    sent = {"organization": world.school_org.pk, "school_closes_at": "2021-05-28T00:00", "reason": "停电"}
    checked = client.post(address, sent).content.decode()
    assert "5月27日（星期四）24:00" in checked
    assert "只对太原演示职业学校有效" in checked
    assert "有 1 所院校可以继续填写" in checked
    assert "有 2 人收到通知" in checked
    assert not RoundExtension.objects.exists()
    assert client.post(address, sent | {"step": "confirm"}).status_code == 302
    assert RoundExtension.objects.get().organization == world.school_org
    refused = client.post(address, sent | {"school_closes_at": "2021-05-27T00:00"}).content.decode()
    assert "延期只能往后" in refused


def test_the_city_step_of_a_school_that_goes_straight_to_the_province_fills_itself_in(
    world, round, client_for
):
    School.objects.filter(pk=world.school.pk).update(kind=School.Kind.HIGHER_VOCATIONAL)
    client, address = client_for(world.office), reverse("rounds:extend", args=[round.pk])
    sent = {"organization": world.school_org.pk, "school_closes_at": "2021-05-30T00:00", "reason": "停电"}
    refused = client.post(address, sent | {"organization": world.other_school_org.pk})
    assert "不能早于院校填报截止" in refused.content.decode()
    checked = client.post(address, sent).content.decode()
    assert "5月29日（星期六）24:00" in checked
    assert 'data-label="环节"><span>市级初审截止' not in checked
    assert client.post(address, sent | {"step": "confirm"}).status_code == 302
    until = sh("2021-05-30T00:00:00")
    assert RoundExtension.objects.get().closings == Closings(until, until, PROVINCE)
    told_text = Notice.objects.get(key__contains="extension", recipient=world.contact).text
    assert "院校填报截止延至" in told_text
    assert "市级" not in told_text


def test_an_extension_that_leaves_a_review_no_time_is_warned_of(world, round, client_for):
    client, address = client_for(world.office), reverse("rounds:extend", args=[round.pk])
    city = services.standing_closings(round, None).city
    for until, hurried in ((city, True), (city - DAY + dt.timedelta(minutes=1), True), (city - DAY, False)):
        school_closes_at = f"{clock.local(until):%Y-%m-%dT%H:%M}"
        sent = {"organization": world.school_org.pk, "reason": "停电", "school_closes_at": school_closes_at}
        checked = client.post(address, sent)
        assert checked.status_code == 200
        assert ("不足一天" in checked.content.decode()) is hurried


def test_a_school_that_goes_straight_still_ends_before_the_province(world, round):
    School.objects.filter(pk=world.school.pk).update(kind=School.Kind.HIGHER_VOCATIONAL)
    with pytest.raises(ValidationError, match=r"省级审核.*不能早于院校填报截止"):
        put_off(world, round, world.school_org, school_closes_at=PROVINCE + MICROSECOND)
    put_off(world, round, world.school_org, school_closes_at=PROVINCE)
    assert RoundExtension.objects.get().closings == Closings(PROVINCE, PROVINCE, PROVINCE)
    with pytest.raises(ValidationError, match="没有变"):
        put_off(world, round, world.school_org, city_closes_at=PROVINCE + DAY)


def test_a_demonstrations_round_is_open_to_its_own_schools_only(world):
    kinds = [world.school.kind]
    assert set(School.objects.eligible(kinds)) == {world.school, world.other_school}
    Organization.objects.filter(pk=world.school_org.pk).update(is_demonstration=True)
    assert set(School.objects.eligible(kinds)) == {world.school}


def test_a_demonstrations_round_is_extended_for_its_own_schools_only(world, round):
    Organization.objects.filter(pk=world.school_org.pk).update(is_demonstration=True)
    offered = ExtensionForm(round=round).fields["organization"].queryset
    assert list(offered) == [world.school_org]
    with pytest.raises(ValidationError, match="不在本批次可申报的院校之列"):
        put_off(world, round, world.other_school.organization, school_closes_at=SCHOOL + DAY)
