"""The API of series and messages; the last of the rooms, so also of every unknown address."""

from django.urls import re_path

from clinic.api_views import NoSuchAddress, router
from reminders.api.archive import Archive
from reminders.api.inbox import Inbox
from reminders.api.messages import Messages
from reminders.api.opt_outs import OptOuts
from reminders.api.recall_messages import RecallMessages
from reminders.api.records import Records
from reminders.api.series import SeriesView
from reminders.api.site_effect import SiteEffect
from reminders.api.wordings import Wordings

_router = router()
_router.register("series", SeriesView, basename="api-series")
_router.register("patients", Records, basename="api-patient-records")
_router.register("recall-messages", RecallMessages, basename="api-recall-messages")
_router.register("messages", Messages, basename="api-messages")
_router.register("archived-messages", Archive, basename="api-archived-messages")
_router.register("sites", SiteEffect, basename="api-site-effect")
_router.register("wordings", Wordings, basename="api-wordings")
_router.register("opt-outs", OptOuts, basename="api-opt-outs")
_router.register("inbox", Inbox, basename="api-inbox")

urlpatterns = [*_router.urls, re_path(r"^.*$", NoSuchAddress.as_view())]
