"""What the fields and sections of a protocol are called where they are filled in."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.protocols import schema
from clinic.protocols.schema import Protocol

# slug → what it is called, and what is said above it.
SECTIONS: dict[str, tuple[Promise, Promise]] = {
    "series": (
        _("Sessions and intervals"),
        _("How many sessions a series has, how far apart they are, and when results show."),
    ),
    "resources": (
        _("Room, provider, device"),
        _("What every visit holds, with the time to set up before it and to clean up after it."),
    ),
    "who": (_("Who may be treated"), _("Least age, and what follows from each skin type.")),
    "areas": (_("Areas"), _("What can be treated, and how long each takes. Chair times add up.")),
    "screening": (
        _("Health questions"),
        _("What patients are asked before they are treated, and what follows from a yes."),
    ),
    "steps": (
        _("Steps and messages"),
        _("What patients do, hear or are asked before and after a session, and on which channel."),
    ),
    "log": (_("Treatment log"), _("What is written down while treating.")),
    "warnings": (_("Warning signs"), _("After what patients call, and how fast.")),
    "spacing": (_("Other treatments"), _("The least time between this and another treatment.")),
    "products": (_("Products"), _("Kinds of products, never brands, and from when they are used.")),
    "policy": (_("Choices"), _("What this clinic chose where the sources disagree.")),
    "sources": (_("Sources"), _("What the rest points at by its short code.")),
    "about": (
        _("Name and version"),
        _("What it is called, its number, and who looks at it again."),
    ),
}

_SOURCES = (_("Sources"), _("Codes from “Sources”, such as M6, M8."))
_ID = (_("Id"), _("Small letters, digits and _. Others point at it, so it stays the same."))
_BOTH = (_("Before"), _("Only one of before and after is filled in."))
_AFTER = (_("After"), _("Only one of before and after is filled in."))
_NONE = _("Leave it empty where there is none.")

# (class, field) → what it is called, and what one has to know to fill it in.
FIELDS: dict[tuple[type[Any], str], tuple[Promise, Promise | str]] = {
    (schema.Text, "en"): (_("English"), ""),
    (schema.Text, "es"): (_("Spanish"), ""),
    (Protocol, "version"): (_("Version"), _("Higher than every one before, such as 1.1.0.")),
    (Protocol, "modality"): (_("Modality"), _("What providers and devices are chosen by.")),
    (Protocol, "code"): (_("Code"), _("Two capital letters on the day list.")),
    (Protocol, "name"): (_("Name"), _("For staff, and e-mail to who agreed to detail.")),
    (Protocol, "disclaimer"): (_("Disclaimer"), _("Stays with it wherever it is shown.")),
    (Protocol, "review"): (_("Next review"), ""),
    (Protocol, "inferences"): (
        _("Without a source"),
        _("One place a line, such as series.interval.max or steps[*].late."),
    ),
    (schema.Review, "owner_role"): (_("Who looks at it"), _("A role, such as clinical_lead.")),
    (schema.Review, "next_review"): (_("How long after approval"), ""),
    (schema.Series, "sessions"): (_("Number of sessions"), ""),
    (schema.Series, "interval"): (
        _("From one session to the next"),
        _("Calendar time from start to start. Leave it empty where there is only one session."),
    ),
    (schema.Series, "downtime"): (_("Downtime"), _NONE),
    (schema.Series, "results"): (_("Results to expect"), _NONE),
    (schema.Series, "maintenance"): (_("Touch-up after the last session"), _NONE),
    (schema.Series, "gap_over_max"): (_("After a gap longer than the longest"), ""),
    (schema.Series, "evidence"): _SOURCES,
    (schema.Sessions, "min"): (_("Fewest sessions"), ""),
    (schema.Sessions, "typical"): (_("Usual number of sessions"), ""),
    (schema.Sessions, "max"): (_("Most sessions"), ""),
    (schema.Interval, "min"): (_("Least"), _("Sooner is refused without a reason.")),
    (schema.Interval, "ideal"): (_("Ideal"), _("Where plans put the next one.")),
    (schema.Interval, "max"): (_("Longest"), ""),
    (schema.Downtime, "typical"): (_("Usual"), ""),
    (schema.Downtime, "max"): (_("Longest"), ""),
    (schema.Results, "first"): (_("First seen after"), ""),
    (schema.Results, "peak"): (_("Full after"), ""),
    (schema.Maintenance, "due"): (_("Due after"), ""),
    (schema.Maintenance, "latest"): (_("At the latest after"), ""),
    (schema.Resources, "room_kind"): (_("Kind of room"), _("Such as treatment, laser, consult.")),
    (schema.Resources, "provider"): (_("Provider"), ""),
    (schema.Resources, "room"): (_("Room"), ""),
    (schema.Resources, "device"): (_("Device"), _("Leave it empty where none is needed.")),
    (schema.SetUp, "set_up"): (_("Set-up before"), ""),
    (schema.SetUp, "clean_up"): (_("Clean-up after"), ""),
    (schema.Applicability, "min_age"): (_("Least age in years"), ""),
    (schema.Applicability, "fitzpatrick"): (
        _("Skin types (Fitzpatrick)"),
        _("Each of the six stands in exactly one of the three."),
    ),
    (schema.Fitzpatrick, "allow"): (_("Treated"), ""),
    (schema.Fitzpatrick, "review"): (_("A clinician decides"), ""),
    (schema.Fitzpatrick, "block"): (_("Not treated"), ""),
    (schema.Area, "name"): (_("Name"), ""),
    (schema.Area, "chair"): (_("Time in the chair"), ""),
    (schema.Area, "numbing"): (_("Numbing before"), _NONE),
    (schema.Area, "sessions"): (
        _("Number of sessions, where it differs here"),
        _("Leave it empty where it is that of the series."),
    ),
    (schema.Area, "evidence"): _SOURCES,
    (schema.Area, "regions"): (
        _("Regions of the map"),
        _("Where a log counts what was delivered in each. Leave them empty for any other area."),
    ),
    (schema.Screening, "id"): _ID,
    (schema.Screening, "question"): (_("Question"), ""),
    (schema.Screening, "trigger"): (_("It counts"), ""),
    (schema.Screening, "outcome"): (_("What follows"), ""),
    (schema.Screening, "scope"): (_("Concerns"), ""),
    (schema.Screening, "ask"): (_("Asked"), ""),
    (schema.Screening, "washout"): (
        _("For how long it counts"),
        _("Needed for a question about a date."),
    ),
    (schema.Screening, "evidence"): _SOURCES,
    (schema.Hold, "before"): _BOTH,
    (schema.Hold, "after"): _AFTER,
    (schema.Step, "id"): (_("Id"), _("Such as pre.sun. Others point at it, so it stays the same.")),
    (schema.Step, "phase"): (_("Phase"), ""),
    (schema.Step, "kind"): (_("Kind"), ""),
    (schema.Step, "topic"): (
        _("Topic"),
        _("The same word for the same thing in every protocol, such as sun.tanning."),
    ),
    (schema.Step, "directive"): (_("It says"), ""),
    (schema.Step, "anchor"): (_("Counts from"), ""),
    (schema.Step, "before"): _BOTH,
    (schema.Step, "after"): _AFTER,
    (schema.Step, "late"): (_("When the visit is booked too late for it"), ""),
    (schema.Step, "title"): (_("Title for patients"), ""),
    (schema.Step, "text"): (_("Words for patients"), _("One to three short sentences.")),
    (schema.Step, "hold_until"): (
        _("Until when it holds"),
        _("Before a session’s start or after its end. Empty: until the session."),
    ),
    (schema.Step, "applies_if"): (
        _("Only if"),
        _("Such as consent.photo, not_prescribed or screening. and the id of a question."),
    ),
    (schema.Step, "ack"): (_("Patients are asked to say that they read it"), ""),
    (schema.Step, "critical"): (_("Critical: never dropped to send fewer messages"), ""),
    (schema.Step, "advance"): (_("No use after its moment: said before quiet hours"), ""),
    (schema.Step, "channels"): (_("Where, and how"), ""),
    (schema.Step, "late_text"): (
        _("Words when it is too late"),
        _("A question. Only where it is asked instead when booked later."),
    ),
    (schema.Step, "staff_text"): (_("Words for staff"), _("What staff are to do.")),
    (schema.Step, "evidence"): _SOURCES,
    (schema.LogField, "id"): _ID,
    (schema.LogField, "label"): (_("Label"), ""),
    (schema.LogField, "type"): (_("What is written"), ""),
    (schema.LogField, "per"): (_("How often"), ""),
    (schema.LogField, "required"): (_("Needed before the log is signed"), ""),
    (schema.LogField, "choices"): (_("Choices"), _("One a line, for one of several.")),
    (schema.LogField, "unit"): (_("Unit"), _("Such as mm, J/cm² or °C.")),
    (schema.LogField, "minimum"): (_("Least"), _("In that unit. It catches slips.")),
    (schema.LogField, "maximum"): (_("Most"), _("In that unit. It catches slips.")),
    (schema.LogField, "copyable"): (_("May be copied from last time"), ""),
    (schema.LogField, "evidence"): _SOURCES,
    (schema.WarningSign, "id"): _ID,
    (schema.WarningSign, "sign"): (_("Sign"), _("It follows on “Call us if you notice …”.")),
    (schema.WarningSign, "urgency"): (_("How fast"), ""),
    (schema.WarningSign, "evidence"): _SOURCES,
    (schema.Spacing, "other"): (_("Other treatment"), _("Such as ipl, filler or any_device.")),
    (schema.Spacing, "direction"): (_("It comes"), ""),
    (schema.Spacing, "min_gap"): (_("Least time between"), ""),
    (schema.Spacing, "scope"): (_("Where"), ""),
    (schema.Spacing, "outcome"): (_("Sooner than that"), ""),
    (schema.Spacing, "evidence"): _SOURCES,
    (schema.Product, "category"): (_("Category"), _("Small letters, digits and _.")),
    (schema.Product, "name"): (_("Name"), ""),
    (schema.Product, "start"): (_("From, after the session"), ""),
    (schema.Product, "until"): (_("Until, after the session"), _NONE),
    (schema.Product, "note"): (_("Note"), _NONE),
    (schema.Product, "evidence"): _SOURCES,
    (schema.Policy, "topic"): (_("Topic"), _("Such as med.otc_nsaid.")),
    (schema.Policy, "question"): (_("On what sources disagree"), ""),
    (schema.Policy, "options"): (_("Options"), _("One a line.")),
    (schema.Policy, "choice"): (_("What this clinic chose"), _("One of the options.")),
    (schema.Policy, "decided_by"): (_("Decided by"), _("A role, such as clinical_lead.")),
    (schema.Policy, "evidence"): _SOURCES,
    (schema.Evidence, "title"): (_("Title"), _("In English: it is read so in every language.")),
    (schema.Evidence, "url"): (_("Address"), _("It begins with https://.")),
    (schema.Evidence, "grade"): (_("Grade"), _("How far it is trusted.")),
}

# Of a row whose key in the document is its id.
KEYED_ID = (_("Id"), _("The rest points at it, and follows when it is changed here."))

UNITS: dict[str, Promise] = {
    "minutes": _("minutes"),
    "hours": _("hours"),
    "days": _("days"),
    "weeks": _("weeks"),
    "months": _("months"),
}
