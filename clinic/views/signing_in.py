"""Signing in and out, and the page that says until when an account rests."""

from __future__ import annotations

from typing import Any, cast

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.csrf import csrf_failure
from django.views.decorators.http import require_POST

from clinic import demo_logins, handover, kept_forms, saying_times
from clinic.access import sites_at_hand
from clinic.forms import SignInForm
from clinic.kept_forms import Kept
from clinic.models import Site, Staff
from clinic.reader_language import reader_language
from clinic.views.current_site import REMEMBERED


class SignIn(LoginView):
    template_name = "clinic/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Nothing of a tablet that was handed over goes on into the session of staff; what they
        wrote when their session had ended does."""
        if handover.KEY in self.request.session:
            handover.end(self.request)
        answer = super().form_valid(form)
        if sealed := self.request.POST.get("kept", ""):
            now, staff = timezone.now(), form.get_user()
            if kept_forms.give_back(self.request, sealed, to=staff, now=now) is None:
                return _not_theirs(self.request, redirect(settings.LOGIN_REDIRECT_URL))
        return answer

    def get_form_kwargs(self) -> dict[str, Any]:
        """What comes back from the page of a rest brings no sign-in yet."""
        given = super().get_form_kwargs()
        return given if "username" in self.request.POST else given | {"data": None, "files": None}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sealed = self.request.POST.get("kept", "")
        kept = kept_forms.unseal(sealed, now=timezone.now()) if sealed else None
        return super().get_context_data(**kwargs) | _shown(kept, sealed)


class SignInBeside(SignIn):
    """The dialog over a page whose session ended: what is written there stays where it is.

    `by` is the id of who was signed in on that page and `site` the slug of what they looked at: a
    new session names no site. Anybody else is led to a page of their own.
    """

    template_name = "clinic/signing_in_beside/form.html"
    redirect_authenticated_user = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Nothing is asked of who signed in meanwhile in another tab."""
        if request.user.is_authenticated:
            return self._go_on()
        return super().get(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """The page beneath may have fields of the same names."""
        return super().get_form_kwargs() | {"auto_id": "beside_%s"}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        super().form_valid(form)
        return self._go_on()

    def _go_on(self) -> HttpResponse:
        staff, site = cast(Staff, self.request.user), self.request.GET.get("site", "")
        if self.request.GET.get("by") != str(staff.pk):
            return _not_theirs(self.request, HttpResponse(headers={"HX-Redirect": "/"}))
        if site in {each.slug for each in sites_at_hand(staff)}:
            self.request.session[REMEMBERED] = site
        return render(self.request, "clinic/signing_in_beside/done.html")


def _not_theirs(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    said = gettext("What was written before you signed in was not yours, and is gone.")
    messages.warning(request, said)
    return answer


def sign_in_again(request: HttpRequest, kept: Kept, sealed: str) -> HttpResponse:
    """The sign-in page in the place of an answer: it has what was sent in its body."""
    context = {"form": SignInForm(request), "next": kept.page} | _shown(kept, sealed)
    answer = render(request, "clinic/sign_in.html", context, status=401)
    # Of a part of a page it becomes the whole.
    answer["HX-Retarget"], answer["HX-Reswap"] = "body", "innerHTML"
    answer["Cache-Control"] = "no-store"
    return answer


def older_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form without the secret of the session, such as that of a page from before
    its reader signed in again beside it: what is theirs comes back to be looked at and sent."""
    now, staff = timezone.now(), request.user
    if isinstance(staff, Staff) and kept_forms.is_of_this_house(request):
        if request.path == reverse("sign-in"):
            sealed = request.POST.get("kept", "")
        else:
            written = kept_forms.of_request(request)
            sealed = kept_forms.seal(written, now=now) if written else ""
        kept = kept_forms.give_back(request, sealed, to=staff, now=now)
        if kept is not None:
            return _leading(request, kept.page)
    return csrf_failure(request, reason)


@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Let go of what was written when the session had ended."""
    kept = kept_forms.waiting(request, now=timezone.now())
    kept_forms.forget(request)
    return redirect(kept.page if kept else settings.LOGIN_REDIRECT_URL)


def _leading(request: HttpRequest, page: str) -> HttpResponse:
    """To a page as a whole, also where a part of one was asked for."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": page})
    return redirect(page)


def _shown(kept: Kept | None, sealed: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"kept": sealed, "files": kept.files} if kept else {}
    if settings.DEMO:
        shown |= {"logins": demo_logins.LOGINS, "demo_password": demo_logins.PASSWORD}
    return shown


class SignOut(LogoutView):
    next_page = "sign-in"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever uses the browser next is not taken for who signs out."""
        answer = super().post(request, *args, **kwargs)
        kept_forms.forget_who(answer)
        return answer


def locked_out(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """The answer to every try of an account that rests. Each try begins the rest anew, so it ends
    one cool-off from now; said on every clock of the clinic, as a stranger has no site."""
    cool_off = get_cool_off(request)
    ends = timezone.now() + cool_off if cool_off else None
    zones = sorted(set(Site.objects.values_list("zone", flat=True))) or ["UTC"]
    until = (
        [saying_times.when(ends, zone, reader_language(), with_zone=True).time for zone in zones]
        if ends
        else []
    )
    sealed = request.POST.get("kept", "")
    kept = kept_forms.unseal(sealed, now=timezone.now()) if sealed else None
    context = {"until": until, "next": request.POST.get("next", "")} | _shown(kept, sealed)
    is_beside = request.path == reverse("sign-in-beside")
    page = "signing_in_beside/locked_out" if is_beside else "locked_out"
    return render(request, f"clinic/{page}.html", context, status=429)
