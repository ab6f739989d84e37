"""Signing in and out, and the page that says until when an account rests."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic import demo_logins, handover, hours
from clinic.forms import SignInForm
from clinic.models import Site
from clinic.reader_language import reader_language


class SignIn(LoginView):
    template_name = "clinic/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Nothing of a tablet that was handed over goes on into the session of staff."""
        if handover.KEY in self.request.session:
            handover.end(self.request)
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        demo = (
            {"logins": demo_logins.LOGINS, "demo_password": demo_logins.PASSWORD}
            if settings.DEMO
            else {}
        )
        return super().get_context_data(**kwargs) | demo


class SignOut(LogoutView):
    next_page = "sign-in"


def locked_out(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """The answer to every try of an account that rests. Each try begins the rest anew, so it ends
    one cool-off from now; said on every clock of the clinic, as a stranger has no site."""
    cool_off = get_cool_off(request)
    ends = timezone.now() + cool_off if cool_off else None
    zones = sorted(set(Site.objects.values_list("zone", flat=True))) or ["UTC"]
    until = (
        [hours.when(ends, zone, reader_language(), with_zone=True).time for zone in zones]
        if ends
        else []
    )
    return render(request, "clinic/locked_out.html", {"until": until}, status=429)
