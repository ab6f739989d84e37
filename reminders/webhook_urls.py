"""Where providers report. The channels write the same addresses into each text."""

from django.urls import path

from reminders.webhooks import mail, telnyx, twilio

urlpatterns = [
    path("webhooks/twilio/status/<uuid:reference>/", twilio.status, name="twilio-status"),
    path("webhooks/twilio/inbound/", twilio.inbound, name="twilio-inbound"),
    path("webhooks/telnyx/status/<uuid:reference>/", telnyx.status, name="telnyx-status"),
    path("webhooks/telnyx/inbound/", telnyx.inbound, name="telnyx-inbound"),
    path("webhooks/mail/", mail.tracking, name="mail-tracking"),
    path("webhooks/mail/inbound/", mail.inbound, name="mail-inbound"),
]
