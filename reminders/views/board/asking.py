"""What the address of the board asks for. Its whole state stands there, so that a link shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic.models import ResourceKind
from clinic.views.row_id import row_id
from reminders.views.book_series import draft as drafts

ONE_DAY = timedelta(days=1)
DAY, WEEK = "day", "week"
COLUMNS = {
    "providers": (ResourceKind.PROVIDER,),
    "rooms": (ResourceKind.ROOM,),
    "devices": (ResourceKind.DEVICE,),
    "all": (ResourceKind.PROVIDER, ResourceKind.ROOM, ResourceKind.DEVICE),
}
COLUMN_WORDS = {
    "providers": _("Providers"),
    "rooms": _("Rooms"),
    "devices": _("Devices"),
    "all": _("All"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """`of` is the resource of a week, `visit` the one in the panel, `pick` the one to be placed;
    `unread` says so when the date cannot be read."""

    day: date
    view: str
    cols: str
    of: int | None
    visit: int | None
    pick: int | None
    initials: bool
    cancelled: bool
    unread: str = ""

    @property
    def step(self) -> timedelta:
        return 7 * ONE_DAY if self.view == WEEK else ONE_DAY

    @property
    def monday(self) -> date:
        return self.day - self.day.weekday() * ONE_DAY


def asked(data: QueryDict, *, today: date) -> Asked:
    """What stands in the address; what cannot be read is what it is by default."""
    day, unread = drafts.asked_day(data.get("date"), today)
    cols = data.get("cols", "")
    return Asked(
        day,
        WEEK if data.get("view") == WEEK else DAY,
        cols if cols in COLUMNS else "providers",
        row_id(data.get("of", "")),
        row_id(data.get("visit", "")),
        row_id(data.get("pick", "")),
        data.get("names") == "initials",
        data.get("cancelled") == "1",
        unread,
    )
