"""The demo's page of received texts and mail."""

from django.urls import path

from reminders.views import sandbox

urlpatterns = [
    path("sandbox/", sandbox.received, name="sandbox"),
    path("sandbox/reply/", sandbox.reply, name="sandbox-reply"),
    path("sandbox/mail/<int:number>/", sandbox.mail, name="sandbox-mail"),
    path("sandbox/mail/<int:number>/html/", sandbox.mail_html, name="sandbox-mail-html"),
    path(
        "sandbox/mail/<int:number>/invite.ics",
        sandbox.invitation,
        name="sandbox-invitation",
    ),
]
