"""Where providers report. The channel writes the same address into each text."""

from django.urls import path

from reminders import webhooks

urlpatterns = [
    path(
        "webhooks/twilio/status/<uuid:reference>/",
        webhooks.twilio_status,
        name="twilio-status",
    ),
]
