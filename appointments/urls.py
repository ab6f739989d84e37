"""Pages of visits' own tools that show nothing of messages."""

from django.urls import path

from appointments.views import (
    blocks,
    closures,
    feeds,
    hours,
    hours_day,
    scheduling,
    waitlist,
    waitlist_form,
)

urlpatterns = [
    path("blocks/", blocks.block_list, name="blocks"),
    path("blocks/<int:pk>/", blocks.block, name="block"),
    path("blocks/<int:pk>/release/", blocks.release, name="block-release"),
    path("blocks/<int:pk>/end/", blocks.change_end, name="block-end"),
    path("blocks/<int:pk>/move/", blocks.move, name="block-move"),
    path("hours/", hours.hours_list, name="hours"),
    path("hours/closures/<int:pk>/", closures.closure, name="closure"),
    path("hours/closures/<int:pk>/take-back/", closures.take_back, name="closure-take-back"),
    path("hours/closures/<int:pk>/move/", closures.move, name="closure-move"),
    path("hours/<slug:site>/<str:on>/<slug:whose>/", hours_day.day, name="hours-day"),
    path("hours/<slug:site>/<str:on>/<slug:whose>/clear/", hours_day.clear, name="hours-clear"),
    path("hours/<slug:site>/<str:on>/<slug:whose>/move/", hours_day.move, name="hours-move"),
    path("scheduling/", scheduling.scheduling, name="scheduling"),
    path("feeds/", feeds.feed_list, name="feeds"),
    path("feeds/<int:pk>/revoke/", feeds.revoke, name="revoke-feed"),
    path("feeds/<str:token>.ics", feeds.calendar, name="calendar-feed"),
    path("waitlist/", waitlist.waitlist_page, name="waitlist"),
    path("waitlist/add/", waitlist_form.add, name="waitlist-add"),
    path("waitlist/entries/<int:pk>/", waitlist_form.change, name="waitlist-entry"),
    path("waitlist/entries/<int:pk>/withdraw/", waitlist.withdraw, name="waitlist-withdraw"),
    path("waitlist/gaps/<int:pk>/offer/", waitlist.offer, name="gap-offer"),
    path("waitlist/gaps/<int:pk>/book/", waitlist.book, name="gap-book"),
    path("waitlist/gaps/<int:pk>/dismiss/", waitlist.dismiss, name="gap-dismiss"),
    path("waitlist/gaps/<int:pk>/reopen/", waitlist.reopen, name="gap-reopen"),
    path("waitlist/offers/<int:pk>/take-back/", waitlist.take_back, name="offer-take-back"),
    path(
        "waitlist/invitations/<int:pk>/accept/",
        waitlist.answer,
        {"answer": "accept"},
        name="invitation-accept",
    ),
    path(
        "waitlist/invitations/<int:pk>/decline/",
        waitlist.answer,
        {"answer": "decline"},
        name="invitation-decline",
    ),
]
