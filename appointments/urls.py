"""Pages of visits' own tools that show nothing of messages."""

from django.urls import path

from appointments.views import feeds

urlpatterns = [
    path("feeds/", feeds.feed_list, name="feeds"),
    path("feeds/<int:pk>/revoke/", feeds.revoke, name="revoke-feed"),
    path("feeds/<str:token>.ics", feeds.calendar, name="calendar-feed"),
]
