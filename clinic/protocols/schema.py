"""A care protocol as frozen values: the one description of its fields.

`reading` builds these from TOML or a stored document, `rules` checks them; `docs/protocols.md`
explains every field to a clinician. A duration with days counts local days of the clinic, one
with hours counts elapsed time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from clinic.durations import Duration


class Kind(StrEnum):
    SERIES = "series"
    SERVICE = "service"


class SkinType(StrEnum):
    """Fitzpatrick's types."""

    I = "I"  # noqa: E741 - Fitzpatrick's numeral
    II = "II"
    III = "III"
    IV = "IV"
    V = "V"
    VI = "VI"


class OverMax(StrEnum):
    """What a gap longer than the longest interval asks for."""

    REVIEW = "review"
    RESTART = "restart"


class Trigger(StrEnum):
    YES = "yes"
    WITHIN_WASHOUT = "within_washout"


class Outcome(StrEnum):
    BLOCK = "block"
    DEFER = "defer"
    REVIEW = "review"
    TASK = "task"


class AskAt(StrEnum):
    CONSULT = "consult"
    PRE = "pre"
    DAY_OF = "day_of"


class Reach(StrEnum):
    AREA = "area"
    SYSTEMIC = "systemic"


class Phase(StrEnum):
    PRE = "pre"
    DAY = "day"
    POST = "post"
    FOLLOWUP = "followup"
    MAINTENANCE = "maintenance"


class StepKind(StrEnum):
    INSTRUCTION = "instruction"
    QUESTION = "question"
    TASK = "task"
    PHOTO = "photo"
    CHECKIN = "checkin"
    BOOKING = "booking"


class Directive(StrEnum):
    AVOID = "avoid"
    DO = "do"
    ASK = "ask"


class Anchor(StrEnum):
    SESSION_START = "session.start"
    SESSION_END = "session.end"
    SERIES_LAST = "series.last"


class Late(StrEnum):
    """What to do with a step whose moment is already past when it is planned."""

    SEND_NOW = "send_now"
    REWORD_ASK = "reword_ask"
    SKIP = "skip"
    ESCALATE = "escalate"


class Channel(StrEnum):
    """`app` is the patient's care page, `call` a task for staff."""

    SMS = "sms"
    EMAIL = "email"
    APP = "app"
    CALL = "call"


class Intent(StrEnum):
    SHORT_REMINDER = "short_reminder"
    FULL_GUIDE = "full_guide"
    CHECKLIST = "checklist"
    ASK_CONFIRM = "ask_confirm"
    PHOTO_REQUEST = "photo_request"
    URGENT_TRIAGE = "urgent_triage"
    REBOOK = "rebook"


class LogType(StrEnum):
    """A `string` is one line, a `text` several."""

    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ENUM = "enum"


class LogPer(StrEnum):
    """A `zone` is an area of the visit that was treated, a `region` a part of it on the map."""

    SESSION = "session"
    ZONE = "zone"
    REGION = "region"


class Region(StrEnum):
    """The parts of face and neck on the map, both sides of each, from head to foot."""

    FOREHEAD = "forehead"
    BROW = "brow"
    PERIORBITAL = "periorbital"
    CHEEKS = "cheeks"
    LOWER_FACE = "lower_face"
    SUBMENTAL = "submental"
    NECK = "neck"
    DECOLLETE = "decollete"


class Urgency(StrEnum):
    EMERGENCY = "emergency"
    SAME_DAY = "same_day"
    NEXT_DAY = "next_day"


class Direction(StrEnum):
    """Whether the other treatment comes before or after this one."""

    BEFORE = "before"
    AFTER = "after"


class SpacingScope(StrEnum):
    SAME_AREA = "same_area"
    ANY = "any"


class SpacingOutcome(StrEnum):
    BLOCK = "block"
    REVIEW = "review"


class Grade(StrEnum):
    """A maker's instructions, consensus or trial; B hospital or national body; C clinic sheet;
    D aggregator, the lowest trust."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in every language that a patient may choose."""

    en: str
    es: str

    def get(self, language: str) -> str:
        """The words in `language` ("en" or "es"); another language raises KeyError."""
        return {"en": self.en, "es": self.es}[language]


@dataclass(frozen=True, slots=True)
class Review:
    owner_role: str
    next_review: Duration


@dataclass(frozen=True, slots=True)
class SetUp:
    """Time that a resource is held before and after the visit; elapsed, may be zero."""

    set_up: Duration
    clean_up: Duration


@dataclass(frozen=True, slots=True)
class Resources:
    """What one visit holds; no `device` means that none is needed."""

    room_kind: str
    provider: SetUp
    room: SetUp
    device: SetUp | None = None


@dataclass(frozen=True, slots=True)
class Sessions:
    min: int
    typical: int
    max: int


@dataclass(frozen=True, slots=True)
class Area:
    """One area: time in the chair, and numbing before it. `sessions` when it differs here;
    `regions` are its parts on the map, and an area without any is one of its own."""

    name: Text
    chair: Duration
    numbing: Duration | None = None
    sessions: Sessions | None = None
    evidence: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitzpatrick:
    allow: tuple[SkinType, ...] = ()
    review: tuple[SkinType, ...] = ()
    block: tuple[SkinType, ...] = ()


@dataclass(frozen=True, slots=True)
class Applicability:
    areas: Mapping[str, Area]
    fitzpatrick: Fitzpatrick
    min_age: int


@dataclass(frozen=True, slots=True)
class Interval:
    """From the start of one session to the start of the next, in local calendar days."""

    min: Duration
    ideal: Duration
    max: Duration


@dataclass(frozen=True, slots=True)
class Downtime:
    typical: Duration
    max: Duration


@dataclass(frozen=True, slots=True)
class Results:
    first: Duration
    peak: Duration


@dataclass(frozen=True, slots=True)
class Maintenance:
    due: Duration
    latest: Duration


@dataclass(frozen=True, slots=True)
class Series:
    """How many sessions and how far apart; `interval` is absent when there is only ever one."""

    sessions: Sessions
    interval: Interval | None = None
    downtime: Downtime | None = None
    results: Results | None = None
    maintenance: Maintenance | None = None
    gap_over_max: OverMax = OverMax.REVIEW
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Screening:
    """A question; `trigger` is a yes, or a date still inside `washout`."""

    id: str
    question: Text
    trigger: Trigger
    outcome: Outcome
    scope: Reach
    ask: tuple[AskAt, ...]
    washout: Duration | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """The end of a ban: `before` the session's start or `after` its end, exactly one."""

    before: Duration | None = None
    after: Duration | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the patient does, hears or is asked, `before` or `after` its anchor.

    `advance`: it is of no use after its moment, so it comes before quiet hours rather than after.
    `title` and `text` speak to the patient, `late_text` when the moment has passed
    (`late = "reword_ask"`), `staff_text` to staff.
    """

    id: str
    phase: Phase
    kind: StepKind
    topic: str
    directive: Directive
    anchor: Anchor
    late: Late
    title: Text
    text: Text
    before: Duration | None = None
    after: Duration | None = None
    hold_until: Hold | None = None
    applies_if: str | None = None
    ack: bool = False
    critical: bool = False
    advance: bool = False
    channels: Mapping[Channel, Intent] = field(default_factory=dict)
    late_text: Text | None = None
    staff_text: Text | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogField:
    """One thing written down while treating; `copyable` may be taken over from last time."""

    id: str
    label: Text
    type: LogType
    per: LogPer
    required: bool
    choices: tuple[str, ...] = ()
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    copyable: bool = False
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WarningSign:
    """A sign after which the patient must reach the clinic, and how fast."""

    id: str
    sign: Text
    urgency: Urgency
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spacing:
    """The least time between this treatment and `other` (see `rules.OTHER_TREATMENTS`)."""

    other: str
    direction: Direction
    min_gap: Duration
    scope: SpacingScope
    outcome: SpacingOutcome
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of product, never a brand, usable from `start` until `until` after the session."""

    category: str
    name: Text
    start: Duration
    until: Duration | None = None
    note: Text | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A question on which the sources disagree, and what this clinic chose."""

    topic: str
    question: Text
    options: tuple[str, ...]
    choice: str
    decided_by: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    title: str
    url: str
    grade: Grade


@dataclass(frozen=True, slots=True)
class Protocol:
    """A whole protocol. `name` is for staff and consented e-mail, never for a text message;
    `code` is its two letters on the day list; `inferences` names the fields without a source."""

    id: str
    version: str
    modality: str
    code: str
    name: Text
    kind: Kind
    disclaimer: Text
    review: Review
    resources: Resources
    applicability: Applicability
    series: Series
    screening: tuple[Screening, ...] = ()
    steps: tuple[Step, ...] = ()
    session_log: tuple[LogField, ...] = ()
    warnings: tuple[WarningSign, ...] = ()
    spacing: tuple[Spacing, ...] = ()
    products: tuple[Product, ...] = ()
    policy: tuple[Policy, ...] = ()
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    inferences: tuple[str, ...] = ()

    def __hash__(self) -> int:
        # All of it would be read for it; and one version of a protocol is one document.
        return hash((self.id, self.version))

    def areas_in_words(self, areas: Iterable[str], language: str) -> str:
        """ "Face, Neck"; of a service with a single area, which is no place, its own name."""
        if self._is_about_no_place:
            return self.name.get(language)
        return ", ".join(self.applicability.areas[area].name.get(language) for area in areas)

    def treatment_in_words(self, areas: Iterable[str], language: str) -> str:
        """ "RF microneedling · Face"; of a service with a single area its name alone."""
        name = self.name.get(language)
        if self._is_about_no_place:
            return name
        return f"{name} · {self.areas_in_words(areas, language)}"

    @property
    def is_plain(self) -> bool:
        """Whether it is a service that says nothing clinical: nothing is asked, told or watched,
        and no skin type is kept from it."""
        skin = self.applicability.fitzpatrick
        clinical = (self.screening, self.steps, self.session_log, self.warnings, self.spacing)
        also = (self.products, self.policy, skin.review, skin.block)
        return self.kind is Kind.SERVICE and not any((*clinical, *also))

    @property
    def _is_about_no_place(self) -> bool:
        return self.kind is Kind.SERVICE and len(self.applicability.areas) == 1

    def chair_minutes(self, areas: Iterable[str]) -> int:
        """Minutes in the chair for these areas, one after the other."""
        return sum(self.applicability.areas[area].chair.minutes for area in areas)

    def numbing_minutes(self, areas: Iterable[str]) -> int:
        """Minutes of numbing before the chair: areas are numbed together, the longest counts."""
        waits = (self.applicability.areas[area].numbing for area in areas)
        return max((wait.minutes for wait in waits if wait), default=0)

    def sessions_for(self, areas: Iterable[str]) -> Sessions:
        """How many sessions these areas need together: the most that any of them asks for."""
        asked = [self.applicability.areas[area].sessions or self.series.sessions for area in areas]
        if not asked:
            return self.series.sessions
        return Sessions(
            min=max(each.min for each in asked),
            typical=max(each.typical for each in asked),
            max=max(each.max for each in asked),
        )
