"""Pages that show visits together with what is said about them."""

from django.urls import path

from reminders.views import day_list, moving, visit
from reminders.views.book_series import booked, choose, dates

urlpatterns = [
    path("day/", day_list.day_list, name="day-list"),
    path("series/new/", choose.choose, name="book-series"),
    path("series/new/patients/", choose.find_patients, name="book-series-patients"),
    path("series/new/dates/", dates.dates, name="book-series-dates"),
    path("series/new/change/", dates.change, name="book-series-change"),
    path("series/new/book/", dates.book, name="book-series-book"),
    path("series/<int:pk>/booked/", booked.booked, name="series-booked"),
    path("series/<int:pk>/take-back/", booked.take_back, name="series-take-back"),
    path("visits/<int:pk>/", visit.visit, name="visit"),
    path("visits/<int:pk>/cancel/", visit.cancel, name="visit-cancel"),
    path("visits/<int:pk>/move/", moving.move, name="visit-move"),
    path("visits/<int:pk>/<slug:act>/", visit.act, name="visit-act"),
]
