"""Accounts: made by those above, never more than they have; edited, revealed, ended, handed over."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import permissions, services
from accounts.models import Role, User
from core import clock, crypto
from core.models import Event

PERSON = {"username": "new.person", "name": "新人", "email": "new@example.cn", "mobile": "138 1234 5678"}


def create(by, organization, role=Role.SCHOOL_CONTACT, **fields):
    return services.create_account(
        **{"username": "new.person", "name": "新人", **fields},
        role=role,
        organization=organization,
        by=by,
        at=clock.now(),
    )


def raw_mobile(user):
    with connection.cursor() as cursor:
        cursor.execute("SELECT mobile FROM accounts_user WHERE username = %s", [user.username])
        return cursor.fetchone()[0]


def page(name, account):
    return reverse(f"accounts:{name}", args=[account.pk])


# --- making


@pytest.mark.parametrize(
    ("maker", "organization", "roles"),
    [
        (
            "office",
            "province",
            {"office", "finance", "coordinator", "leading_group", "expert", "third_party", "auditor"},
        ),
        ("office", "bureau", {"city_bureau"}),
        ("office", "school_org", {"school_contact", "school_leader", "coordinator"}),
        ("office", "evaluator_org", {"evaluator"}),
        ("city_officer", "school_org", {"school_contact", "school_leader"}),
        ("city_officer", "other_school_org", set()),
        ("city_officer", "bureau", set()),
        ("city_officer", "province", set()),
        ("contact", "school_org", {"school_contact"}),
        ("leader", "school_org", {"school_contact"}),
        ("contact", "other_school_org", set()),
        ("evaluator_officer", "evaluator_org", set()),
        ("auditor", "school_org", set()),
        ("finance", "school_org", set()),
    ],
)
def test_nobody_gives_more_than_they_have(world, maker, organization, roles):
    assert permissions.assignable_roles(getattr(world, maker), getattr(world, organization)) == roles


def test_the_office_makes_an_account_whose_password_is_shown_once_and_must_be_changed(world, client_for):
    client = client_for(world.office)
    url = reverse("accounts:user-new", args=[world.evaluator_org.pk])
    assert client.get(url).status_code == 200

    response = client.post(url, {**PERSON, "role": "evaluator"})

    password = response.context["password"]
    user = User.objects.get(username="new.person")
    assert password in response.content.decode()
    assert password not in client.get(page("user-detail", user)).content.decode()
    assert (user.mobile, user.created_by, user.must_change_password) == ("13812345678", world.office, True)
    event = Event.objects.get(action="account_created")
    assert password not in json.dumps(event.changes) + event.reason
    theirs = Client()
    theirs.post("/sign-in/", {"username": "new.person", "password": password})
    assert theirs.get(page("user-detail", user)).url == reverse("accounts:password")


def test_a_city_makes_accounts_for_its_own_schools_alone(world, client_for):
    client = client_for(world.city_officer)
    data = {**PERSON, "role": "school_leader"}
    assert (
        client.post(reverse("accounts:user-new", args=[world.other_school_org.pk]), data).status_code == 404
    )
    assert client.post(reverse("accounts:user-new", args=[world.bureau.pk]), data).status_code == 403
    mine = reverse("accounts:user-new", args=[world.school_org.pk])
    assert client.post(mine, {**data, "role": "office"}).context["form"].errors["role"]
    assert not User.objects.filter(username="new.person").exists()

    assert client.post(mine, data).status_code == 200
    assert User.objects.get(username="new.person").organization == world.school_org


def test_the_service_guards_itself(world):
    for by, organization, role in [
        (world.city_officer, world.other_school_org, Role.SCHOOL_CONTACT),
        (world.city_officer, world.school_org, Role.COORDINATOR),
        (world.contact, world.school_org, Role.SCHOOL_LEADER),
        (world.contact, world.other_school_org, Role.SCHOOL_CONTACT),
    ]:
        with pytest.raises(PermissionDenied):
            create(by, organization, role)


def test_a_school_has_one_stand_in_who_names_no_other(world, client_for):
    client = client_for(world.leader)
    url = reverse("accounts:user-new", args=[world.school_org.pk])
    assert client.post(url, {**PERSON, "role": "school_leader"}).context["form"].errors["role"]
    client.post(url, {**PERSON, "role": "school_contact"})
    stand_in = User.objects.get(username="new.person")
    assert stand_in.is_stand_in

    second = client.post(url, {**PERSON, "username": "second", "role": "school_contact"})
    assert "已有一名代理人" in second.content.decode()
    stand_in.must_change_password = False
    stand_in.save()
    assert client_for(stand_in).get(url).status_code == 403
    assert permissions.may_manage(world.contact, stand_in)
    assert not permissions.may_manage(world.contact, world.leader)
    assert not permissions.may_manage(stand_in, world.contact)

    services.deactivate(user=stand_in, reason="轮换", by=world.leader, at=clock.now())
    create(world.contact, world.school_org, username="third")
    with pytest.raises(ValidationError, match="已有一名代理人"):
        services.reactivate(user=stand_in, by=world.leader, at=clock.now())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "contact"),
        ("username", "有空格 的"),
        ("mobile", "12345"),
        ("email", "no-at"),
        ("name", ""),
    ],
)
def test_bad_fields_are_named(world, client_for, field, value):
    url = reverse("accounts:user-new", args=[world.school_org.pk])
    response = client_for(world.office).post(url, {**PERSON, "role": "school_contact", field: value})
    assert field in response.context["form"].errors


def test_a_mobile_in_full_width_digits_is_put_right(world, client_for):
    url = reverse("accounts:user-new", args=[world.school_org.pk])
    client_for(world.office).post(
        url, {**PERSON, "role": "school_contact", "mobile": "+86 138－1234－５６７８"}
    )
    assert User.objects.get(username="new.person").mobile == "13812345678"


# --- personal data


@pytest.fixture
def reachable(world):
    services.edit_account(
        user=world.contact, fields={"mobile": "13812345678"}, by=world.contact, at=clock.now()
    )
    return User.objects.get(pk=world.contact.pk)


def test_a_mobile_is_kept_encrypted_and_bound_to_its_row(world, reachable):
    sealed = raw_mobile(reachable)
    assert "13812345678" not in sealed
    assert reachable.mobile == "13812345678"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET mobile = %s WHERE username = 'leader'", [sealed])
    with pytest.raises(crypto.DecryptionFailed):
        _ = User.objects.get(username="leader").mobile


def test_a_mobile_is_masked_and_each_reveal_is_on_record(world, reachable, client_for):
    office = client_for(world.office)
    shown = office.get(page("user-detail", reachable)).content.decode()
    edited = office.get(page("user-edit", reachable)).content.decode()
    assert "138****5678" in shown
    assert "13812345678" not in shown + edited

    url = page("user-reveal", reachable)
    assert office.get(url).status_code == 405
    assert "13812345678" in office.post(url, {"reason": "催报"}).content.decode()

    event = Event.objects.get(action="mobile_revealed")
    assert (event.actor, event.reason, event.organization) == (world.office, "催报", world.school_org)
    everything = json.dumps(list(Event.objects.values_list("changes", "reason", "target_label")))
    assert "13812345678" not in everything


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("contact", 200),
        ("leader", 200),
        ("city_officer", 200),
        ("auditor", 403),
        ("finance", 403),
        ("other_city_officer", 404),
        ("other_contact", 404),
        ("evaluator_officer", 404),
        ("expert", 404),
        ("learner", 404),
    ],
)
def test_who_may_see_a_mobile(world, reachable, client_for, who, status):
    assert client_for(getattr(world, who)).post(page("user-reveal", reachable)).status_code == status
    assert Event.objects.filter(action="mobile_revealed").exists() == (status == 200)


def test_one_edits_ones_own_address_but_not_ones_name(world, reachable, client_for):
    client = client_for(reachable)
    client.post(page("user-edit", reachable), {"name": "换名", "email": "c@example.cn", "mobile": ""})
    reachable.refresh_from_db()
    assert (reachable.name, reachable.email, reachable.mobile) == (
        "测试contact",
        "c@example.cn",
        "13812345678",
    )
    assert not reachable.mail_notices

    client_for(world.city_officer).post(page("user-edit", reachable), {"name": "换名", "email": ""})
    reachable.refresh_from_db()
    assert (reachable.name, reachable.email) == ("换名", "")


# --- someone else's ids

ACTIONS = [
    "user-detail",
    "user-edit",
    "user-deactivate",
    "user-reactivate",
    "user-reset-password",
    "user-hand-over",
    "user-unlock",
    "user-reveal",
    "user-reset-second-factor",
]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("stranger", ["other_city_officer", "other_contact", "evaluator_officer", "learner"])
def test_a_strangers_address_answers_404(world, client_for, action, stranger):
    client = client_for(getattr(world, stranger))
    send = client.get if action == "user-detail" else client.post
    assert send(page(action, world.contact), {"reason": "x"}).status_code == 404
    assert User.objects.get(pk=world.contact.pk).check_password("pilot-pass-2020")


@pytest.mark.parametrize("action", ACTIONS[1:])
@pytest.mark.parametrize("who", ["auditor", "finance", "leading"])
def test_who_only_reads_gets_403(world, client_for, action, who):
    assert (
        client_for(getattr(world, who)).post(page(action, world.contact), {"reason": "x"}).status_code == 403
    )


def test_nobody_ends_or_resets_oneself(world, client_for):
    client = client_for(world.office)
    for action in ("user-deactivate", "user-reset-password", "user-hand-over"):
        assert client.post(page(action, world.office), {"reason": "x"}).status_code == 403


# --- ending and handing over


def test_an_account_is_ended_with_a_reason_and_brought_back(world, client_for):
    client = client_for(world.city_officer)
    assert client.post(page("user-deactivate", world.contact), {"reason": ""}).status_code == 200
    client.post(page("user-deactivate", world.contact), {"reason": "离职"})
    world.contact.refresh_from_db()
    assert (world.contact.is_active, world.contact.ended_by) == (False, world.city_officer)
    assert Event.objects.get(action="account_ended").reason == "离职"

    response = client.post(page("user-reactivate", world.contact))

    world.contact.refresh_from_db()
    assert world.contact.is_active
    assert world.contact.check_password(response.context["password"])
    assert world.contact.ended_at is None


def test_a_reset_gives_a_new_one_time_password_and_ends_sessions(world, client_for):
    theirs = client_for(world.contact)
    response = client_for(world.city_officer).post(page("user-reset-password", world.contact))
    world.contact.refresh_from_db()
    assert world.contact.check_password(response.context["password"])
    assert world.contact.must_change_password
    assert theirs.get(reverse("accounts:password")).url.startswith("/sign-in/")


def test_a_contact_is_handed_over_to_a_new_person_and_history_keeps_the_name(world, client_for):
    services.edit_account(user=world.contact, fields={"email": "a@b.cn"}, by=world.contact, at=clock.now())
    client = client_for(world.city_officer)

    response = client.post(page("user-hand-over", world.contact), PERSON)

    world.contact.refresh_from_db()
    successor = User.objects.get(username="new.person")
    assert successor.check_password(response.context["password"])
    assert (successor.role, successor.organization) == (Role.SCHOOL_CONTACT, world.school_org)
    assert (world.contact.successor, world.contact.ended_by) == (successor, world.city_officer)
    assert Event.objects.get(action="account_edited").actor_label.startswith("测试contact（")
    shown = client.get(reverse("accounts:organization-detail", args=[world.school_org.pk])).content.decode()
    assert "测试contact" in shown
    assert "移交 新人" in shown
    with pytest.raises(ValidationError, match="已移交"):
        services.reactivate(user=world.contact, by=world.office, at=clock.now())
    assert client.post(page("user-hand-over", world.contact), PERSON).status_code == 403, "once"


def test_a_contact_hands_over_to_the_stand_in_and_is_signed_out(world, client_for):
    stand_in, password = create(world.contact, world.school_org)
    client = client_for(world.contact)
    assert client.post(page("user-hand-over", world.contact), PERSON | {"username": "x2x"}).status_code == 403

    assert client.post(page("user-hand-over", world.contact), {"stand_in": "1"}).url == "/sign-in/"

    stand_in.refresh_from_db()
    assert not stand_in.is_stand_in
    assert stand_in.check_password(password)
    assert client.get(page("user-detail", world.contact)).url.startswith("/sign-in/")


def test_a_hand_over_to_somebody_elses_stand_in_is_refused(world):
    foreign, _ = create(world.other_contact, world.other_school_org)
    for stand_in in (foreign, world.leader):
        with pytest.raises(ValidationError, match="本校现有的代理人"):
            services.hand_over(user=world.contact, stand_in=stand_in, by=world.office, at=clock.now())
    assert User.objects.get(pk=world.contact.pk).is_active


# --- the list


@pytest.mark.parametrize(
    ("who", "status", "sees_other"),
    [("office", 200, True), ("auditor", 200, True), ("city_officer", 200, False), ("contact", 200, False)],
)
def test_the_list_shows_ones_scope(world, client_for, who, status, sees_other):
    response = client_for(getattr(world, who)).get(reverse("accounts:user-list"))
    assert response.status_code == status
    assert ("测试other_contact" in response.content.decode()) == sees_other


@pytest.mark.parametrize("who", ["expert", "evaluator_officer", "learner", "coordinator"])
def test_the_list_is_closed_to_others_but_ones_own_page_is_open(world, client_for, who):
    client = client_for(getattr(world, who))
    assert client.get(reverse("accounts:user-list")).status_code == 403
    assert client.get(page("user-detail", getattr(world, who))).status_code == 200


def test_the_list_asks_the_database_the_same_for_one_and_for_many(
    world, client_for, django_assert_num_queries
):
    client = client_for(world.contact)
    client.get(reverse("accounts:user-list"))
    for more in (0, 3):
        for number in range(more):
            world.add_user(Role.SCHOOL_CONTACT, world.school_org, f"extra{number}")
        with django_assert_num_queries(6):
            client.get(reverse("accounts:user-list"))


def test_the_exported_list_has_no_personal_numbers(world, reachable, client_for):
    response = client_for(world.office).post(reverse("accounts:user-list") + "?q=contact")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/vnd.openxmlformats")


def test_a_stand_in_is_called_one_in_the_frame_and_in_the_record(world, client_for):
    world.contact.is_stand_in = True
    world.contact.save()
    assert "院校联系人（代理人）" in client_for(world.contact).get("/").content.decode()
    assert "院校联系人（代理人）" in world.contact.label
