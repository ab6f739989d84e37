"""Pages that show visits together with what is said about them."""

from django.urls import path

from reminders.patient_pages import offer_page, self_service
from reminders.views import (
    contact,
    day_list,
    messages,
    moving,
    patient_list,
    patient_page,
    rippling,
    sent_words,
    series,
    swapping,
    tasks,
    unsubscribe,
    visit,
    wording_editor,
    wording_versions,
    wordings,
)
from reminders.views.book_series import booked, choose, dates, hold

# Whose words (`site` or `all`), of which kind, in which language.
_WORDING = "wording/<slug:scope>/<slug:kind>/<slug:language>"

urlpatterns = [
    path("day/", day_list.day_list, name="day-list"),
    path("series/new/", choose.choose, name="book-series"),
    path("series/new/patients/", choose.find_patients, name="book-series-patients"),
    path("series/new/dates/", dates.dates, name="book-series-dates"),
    path("series/new/change/", dates.change, name="book-series-change"),
    path("series/new/book/", dates.book, name="book-series-book"),
    path("series/new/hold/", hold.hold, name="book-series-hold"),
    path("series/new/hold/<int:pk>/", hold.held, name="book-series-held"),
    path("series/new/hold/<int:pk>/release/", hold.release, name="book-series-release"),
    path("series/<int:pk>/booked/", booked.booked, name="series-booked"),
    path("series/<int:pk>/take-back/", booked.take_back, name="series-take-back"),
    path("series/<int:pk>/next/", series.next_visit, name="series-next"),
    path("series/<int:pk>/end/", series.end, name="series-end"),
    path("series/<int:pk>/reopen/", series.reopen, name="series-reopen"),
    path("series/<int:pk>/migrate/", series.migrate, name="series-migrate"),
    path("visits/<int:pk>/", visit.visit, name="visit"),
    path("visits/<int:pk>/cancel/", visit.cancel, name="visit-cancel"),
    path("visits/<int:pk>/move/", moving.move, name="visit-move"),
    path("visits/<int:pk>/swap/", swapping.swap, name="visit-swap"),
    path("visits/<int:pk>/ripple/", rippling.ripple, name="visit-ripple"),
    path("visits/<int:pk>/take-back/", rippling.take_back, name="visit-take-back"),
    path("visits/<int:pk>/<slug:act>/", visit.act, name="visit-act"),
    path("p/<str:token>/unsubscribe/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("patients/", patient_list.patient_list, name="patient-list"),
    path("patients/<int:patient_id>/", patient_page.patient_page, name="patient"),
    path(
        "patients/<int:patient_id>/contacts/<int:point_id>/<slug:act>/",
        contact.contact,
        name="patient-contact",
    ),
    path("messages/", messages.message_list, name="message-list"),
    path("messages/<int:message_id>/", messages.message, name="message"),
    path("messages/<int:message_id>/mail/", sent_words.mail, name="message-mail"),
    path("messages/<int:message_id>/skip/", messages.skip, name="skip-message"),
    path("messages/<int:message_id>/put-back/", messages.put_back, name="put-back-message"),
    path("messages/<int:message_id>/retry/", messages.retry, name="retry-message"),
    path("wording/", wordings.wording_list, name="wording-list"),
    path(f"{_WORDING}/", wording_editor.edit, name="wording"),
    path(f"{_WORDING}/discard/", wording_editor.discard, name="wording-discard"),
    path(f"{_WORDING}/publish/", wording_versions.publish, name="wording-publish"),
    path(f"{_WORDING}/retire/", wording_versions.retire, name="wording-retire"),
    path(f"{_WORDING}/<int:number>/", wording_versions.version, name="wording-version"),
    path(f"{_WORDING}/<int:number>/take-up/", wording_versions.take_up, name="wording-take-up"),
    path("tasks/", tasks.task_list, name="task-list"),
    path("tasks/<int:task_id>/take/", tasks.take_task, name="take-task"),
    path("tasks/<int:task_id>/close/", tasks.close_task, name="close-task"),
    path("p/<str:token>/", offer_page.page, name="care-page"),
    path("p/<str:token>/visits.ics", self_service.visits_file, name="visits-file"),
]
