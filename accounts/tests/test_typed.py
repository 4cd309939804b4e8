"""What was typed outlives the session: with scripts off, through sign-in, for its writer alone."""

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from accounts import typed
from accounts.typed import keeps_typed

OURS = {"HTTP_ORIGIN": "http://testserver"}
FORM = "/form/7/"


@keeps_typed
def form(request, pk):
    restored = typed.take(request) if request.method == "GET" else None
    return HttpResponse(restored["work"] if restored else "empty")


def plain(request):
    return HttpResponse("plain")


@login_not_required
def token(request):
    from django.middleware.csrf import get_token

    return HttpResponse(get_token(request))


urlpatterns = [
    path("form/<int:pk>/", form),
    path("plain/", plain),
    path("token/", token),
    path("", include("pilot_portal.urls")),
]
pytestmark = pytest.mark.urls(__name__)


def sign_in(client, username="contact"):
    return client.post("/sign-in/", {"username": username, "password": "pilot-pass-2020", "next": FORM})


def test_a_form_posted_without_a_session_comes_back_after_sign_in(world):
    client = Client()
    response = client.post(FORM, {"work": "本周完成两场培训", "csrfmiddlewaretoken": "x"}, **OURS)
    assert response.url == f"/sign-in/?next={FORM}"

    assert sign_in(client).url == FORM

    assert client.get(FORM).content.decode() == "本周完成两场培训"
    assert client.get(FORM).content.decode() == "empty", "once"
    assert "csrfmiddlewaretoken" not in str(dict(client.session))


def test_a_form_posted_after_the_time_out_comes_back_to_its_writer_alone(world, client_for):
    for username, seen in (("contact", "typed"), ("leader", "empty")):
        world.at("2020-11-18T10:00:00+08:00")
        client = client_for(world.contact)
        client.get("/plain/")
        world.at("2020-11-18T10:31:00+08:00")
        assert client.post(FORM, {"work": "typed"}, **OURS).url.startswith("/sign-in/")

        sign_in(client, username)

        assert client.get(FORM).content.decode() == seen


@pytest.mark.parametrize(
    ("address", "headers"),
    [(FORM, {}), (FORM, {"HTTP_ORIGIN": "https://evil.example"}), ("/plain/", OURS)],
    ids=["no origin", "another site", "a view that does not ask"],
)
def test_nothing_else_is_kept(world, address, headers):
    client = Client()
    client.post(address, {"work": "typed"}, **headers)
    sign_in(client)
    assert client.get(FORM).content.decode() == "empty"


def test_another_address_of_the_same_form_gets_nothing(world):
    client = Client()
    client.post("/form/8/", {"work": "typed"}, **OURS)
    sign_in(client)
    assert client.get(FORM).content.decode() == "empty"
    assert client.get("/form/8/").content.decode() == "typed"


def test_after_two_hours_it_is_gone(world):
    client = Client()
    client.post(FORM, {"work": "typed"}, **OURS)
    world.at("2020-11-18T12:00:00+08:00")
    sign_in(client)
    assert client.get(FORM).content.decode() == "empty"


def test_too_much_is_not_kept(world):
    client = Client()
    client.post(FORM, {"work": "x" * (typed.MOST_BYTES + 1)}, **OURS)
    sign_in(client)
    assert client.get(FORM).content.decode() == "empty"


def test_a_stale_token_sends_nothing_and_gives_the_form_back(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.contact, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(FORM, {"work": "typed", "csrfmiddlewaretoken": "stale"}, **OURS)
    assert response.url == FORM
    assert client.get(FORM).content.decode() == "typed"


def test_a_stale_token_without_a_session_leads_through_sign_in(world):
    client = Client(enforce_csrf_checks=True)
    response = client.post(FORM, {"work": "typed"}, **OURS)
    assert response.url == f"/sign-in/?next={FORM}"
    token = client.get("/token/").content.decode()
    client.post(
        "/sign-in/",
        {"username": "contact", "password": "pilot-pass-2020", "csrfmiddlewaretoken": token},
        **OURS,
    )
    assert client.get(FORM).content.decode() == "typed"


def test_a_forged_request_is_refused_and_kept_nowhere(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.contact, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(FORM, {"work": "forged"}, HTTP_ORIGIN="https://evil.example")
    assert response.status_code == 403
    assert client.get(FORM).content.decode() == "empty"


def test_a_script_with_a_stale_token_is_told_whether_it_is_signed_in(world):
    client = Client(enforce_csrf_checks=True)
    script = {"HTTP_X_REQUESTED_WITH": "fetch", **OURS}
    assert client.post(FORM, {"work": "x"}, **script).status_code == 401
    client.force_login(world.contact, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(FORM, {"work": "x"}, **script)
    assert (response.status_code, response.json()) == (403, {"signed_in": True})
