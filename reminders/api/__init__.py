"""The API of series and messages; the last of the rooms, so also of every unknown address."""

from django.urls import re_path

from clinic.api_views import NoSuchAddress, router
from reminders.api.messages import Messages
from reminders.api.series import SeriesView

_router = router()
_router.register("series", SeriesView, basename="api-series")
_router.register("messages", Messages, basename="api-messages")

urlpatterns = [*_router.urls, re_path(r"^.*$", NoSuchAddress.as_view())]
