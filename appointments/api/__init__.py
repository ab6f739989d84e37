"""The API of visits: free places and holds, the visits themselves and their logs, the wait-list,
tasks, calendar feeds, what keeps time free (blocks, closures and exceptional hours), how a site
plans, and imports of a former system's files."""

from appointments.api.availability import Availability
from appointments.api.blocks import Blocks
from appointments.api.closures import Closures
from appointments.api.courses import Courses
from appointments.api.events import Events
from appointments.api.feeds import Feeds
from appointments.api.holds import Holds
from appointments.api.hours_exceptions import HoursExceptions
from appointments.api.imports import Imports
from appointments.api.logs import Logs, Records, Unsigned
from appointments.api.photos import Photos
from appointments.api.phrases import Phrases
from appointments.api.recall import Recall
from appointments.api.resources import Resources
from appointments.api.screening import ScreeningAnswers, ScreeningDecisions
from appointments.api.tasks import Tasks
from appointments.api.tuning import Scheduling
from appointments.api.visits import Visits
from appointments.api.waitlist import Entries, Gaps, Invitations, Offers
from clinic.api_views import router

_router = router()
_router.register("series", Availability, basename="api-availability")
_router.register("series", Courses, basename="api-courses")
_router.register("appointments", Visits, basename="api-appointments")
_router.register("holds", Holds, basename="api-holds")
_router.register("logs", Records, basename="api-records")
_router.register("logs", Logs, basename="api-logs")
_router.register("unsigned-logs", Unsigned, basename="api-unsigned-logs")
_router.register("phrases", Phrases, basename="api-phrases")
_router.register("recall", Recall, basename="api-recall")
_router.register("adverse-events", Events, basename="api-adverse-events")
_router.register("photos", Photos, basename="api-photos")
_router.register("tasks", Tasks, basename="api-tasks")
_router.register("waitlist", Entries, basename="api-waitlist")
_router.register("gaps", Gaps, basename="api-gaps")
_router.register("offers", Offers, basename="api-offers")
_router.register("invitations", Invitations, basename="api-invitations")
_router.register("calendar-feeds", Feeds, basename="api-feeds")
_router.register("blocks", Blocks, basename="api-blocks")
_router.register("closures", Closures, basename="api-closures")
_router.register("hours-exceptions", HoursExceptions, basename="api-hours-exceptions")
_router.register("resources", Resources, basename="api-resources")
_router.register("imports", Imports, basename="api-imports")
_router.register("sites", Scheduling, basename="api-scheduling")
_router.register("screening/answers", ScreeningAnswers, basename="api-screening-answers")
_router.register("screening/decisions", ScreeningDecisions, basename="api-screening-decisions")

urlpatterns = _router.urls
