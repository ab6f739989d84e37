"""Choosing a password: by the link of whoever employs, and anew by oneself."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import PasswordChangeView, PasswordResetConfirmView
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from clinic import staffing
from clinic.models import Staff


@method_decorator(login_not_required, name="dispatch")
class Welcome(PasswordResetConfirmView):
    """The page behind the link. The token moves from the address into the session at once, so that
    it stands in no history and in no address that the page sends on."""

    template_name = "clinic/staff/welcome.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: SetPasswordForm[Any]) -> HttpResponse:
        answer = super().form_valid(form)
        staffing.password_chosen(staff=cast(Staff, self.user), by_link=True, now=timezone.now())
        messages.success(self.request, _("Your password is saved. Sign in with it."))
        return answer


class ChangePassword(PasswordChangeView):
    """The former password first; every other session ends."""

    template_name = "clinic/staff/change_password.html"
    success_url = reverse_lazy("preferences")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        answer = super().form_valid(form)
        by = cast(Staff, self.request.user)
        staffing.password_chosen(staff=by, by_link=False, now=timezone.now())
        messages.success(self.request, _("Your password is changed; you are signed out elsewhere."))
        return answer
