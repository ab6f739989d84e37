"""Pages that add and change patients. The list and the patient's own page join later rooms."""

from django.urls import path

from patients.views import audit_trail, signed_forms
from patients.views.changing import edit_patient
from patients.views.consenting import give_consent, withdraw_consent
from patients.views.registering import new_patient

urlpatterns = [
    path("audit/", audit_trail.trail, name="audit"),
    path("audit/audit.csv", audit_trail.trail_file, name="audit-file"),
    path("patients/new/", new_patient, name="new-patient"),
    path("patients/<int:patient_id>/edit/", edit_patient, name="edit-patient"),
    path("signed-forms/<int:pk>/", signed_forms.signed_form, name="signed-form"),
    path("signed-forms/<int:pk>/sheet.pdf", signed_forms.sheet, name="signed-form-sheet"),
    path("signed-forms/<int:pk>/withdraw/", signed_forms.withdraw, name="signed-form-withdraw"),
    path(
        "patients/<int:patient_id>/consents/<slug:purpose>/<slug:channel>/give/",
        give_consent,
        name="give-consent",
    ),
    path(
        "patients/<int:patient_id>/consents/<slug:purpose>/<slug:channel>/withdraw/",
        withdraw_consent,
        name="withdraw-consent",
    ),
]
