"""Pages of the clinic: signing in, preferences, protocols."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from clinic.views import (
    consent_forms,
    modalities,
    on_call,
    protocol_drafts,
    protocol_sections,
    protocols,
    retention,
    staffing,
)
from clinic.views.passwords import ChangePassword, Welcome
from clinic.views.preferences import preferences
from clinic.views.signing_in import SignIn, SignInBeside, SignOut, discard
from clinic.views.start import start

# One edition of a consent form: of a protocol (its id) or of a use of photos.
_EDITION = "consent-forms/<slug:key>/<int:number>"
# A section of the next version of a protocol, such as its steps.
_DRAFT = "protocols/<slug:protocol>/draft/<slug:slug>"

urlpatterns = [
    path("", start, name="start"),
    path("login/", SignIn.as_view(), name="sign-in"),
    path("login/beside/", SignInBeside.as_view(), name="sign-in-beside"),
    path("logout/", login_not_required(SignOut.as_view()), name="sign-out"),
    path("kept-form/discard/", discard, name="kept-form-discard"),
    path("preferences/", preferences, name="preferences"),
    path("preferences/password/", ChangePassword.as_view(), name="change-password"),
    # One word of the address, which the access log leaves out.
    path("welcome/<str:uidb64>.<str:token>/", Welcome.as_view(), name="welcome"),
    path("staff/", staffing.staff_list, name="staff"),
    path("staff/<int:pk>/", staffing.staff_member, name="staff-member"),
    path("staff/<int:pk>/account/", staffing.change_account, name="staff-account"),
    path("staff/<int:pk>/provider/", staffing.treat, name="staff-provider"),
    path("staff/<int:pk>/invite/", staffing.invite, name="staff-invite"),
    path("retention/", retention.decisions, name="retention"),
    path("modalities/", modalities.modality_list, name="modalities"),
    path("modalities/<slug:modality>/", modalities.one, name="modality"),
    path("on-call/", on_call.rota, name="on-call"),
    path("on-call/<int:pk>/remove/", on_call.remove, name="on-call-remove"),
    path("on-call/<int:pk>/put-back/", on_call.put_back, name="on-call-put-back"),
    path("consent-forms/", consent_forms.form_list, name="consent-forms"),
    path("consent-forms/<slug:key>/edit/", consent_forms.edit, name="consent-form-edit"),
    path(f"{_EDITION}/", consent_forms.form_page, name="consent-form"),
    path(f"{_EDITION}/publish/", consent_forms.publish, name="consent-form-publish"),
    path(f"{_EDITION}/close/", consent_forms.close, name="consent-form-close"),
    path("protocols/", protocols.protocol_list, name="protocols"),
    path("protocols/services/new/", protocols.new_service, name="new-service"),
    path("protocols/<slug:protocol>/draft/", protocol_drafts.draft, name="protocol-draft"),
    path(
        "protocols/<slug:protocol>/draft/discard/",
        protocol_drafts.discard,
        name="protocol-draft-discard",
    ),
    path(
        "protocols/<slug:protocol>/draft/publish/",
        protocol_drafts.publish,
        name="protocol-draft-publish",
    ),
    path(
        "protocols/<slug:protocol>/draft/undo/",
        protocol_drafts.take_back,
        name="protocol-draft-undo",
    ),
    path(f"{_DRAFT}/", protocol_sections.section, name="protocol-draft-section"),
    path(f"{_DRAFT}/<int:number>/", protocol_sections.row, name="protocol-draft-row"),
    path(
        f"{_DRAFT}/<int:number>/arrange/",
        protocol_sections.arrange,
        name="protocol-draft-arrange",
    ),
    path(
        "protocols/<slug:protocol>/<str:version>/edit/",
        protocol_drafts.begin,
        name="protocol-edit",
    ),
    path("protocols/<slug:protocol>/<str:version>/", protocols.protocol_page, name="protocol"),
    path(
        "protocols/<slug:protocol>/<str:version>/approve/",
        protocols.approve,
        name="protocol-approve",
    ),
    path(
        "protocols/<slug:protocol>/<str:version>/retire/", protocols.retire, name="protocol-retire"
    ),
]
