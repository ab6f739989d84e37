"""The patients of the demo: believable names, both languages, and every gap that real lists have.

Imagined first (`imagine`, pure but for its seeded dice), written later (`register`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from faker import Faker

from clinic.models import Site, Staff
from patients import consent, naming, registration
from patients.models import ConsentChannel, Language, Patient, Purpose

COUNT, FEWEST = 150, 30
_AREA_CODES = {"harbour": ("212", "646", "718", "917"), "sunset": ("213", "310", "323", "818")}
# Subscriber numbers 0102–0199: kept free for fiction, and none of them ends in a code that makes
# the stand-in of the SMS provider misbehave.
_FIRST_NUMBER, _LAST_NUMBER = 102, 199
_ELSEWHERE = ("America/Chicago", "America/Denver", "America/Chicago", "America/Phoenix")
_NOTES = (
    "Prefers mornings.",
    "Comes by train; call if the clinic runs late.",
    "Anxious about needles; explain each step.",
    "Asks for the same provider.",
    "Allergic to latex.",
    "Parks in the yard; code at the desk.",
)
SHARE_A_NUMBER = (20, 22)  # mother and daughter
LANDLINE = (13, 24)  # their numbers take no texts; the provider says so


@dataclass(frozen=True, slots=True)
class Person:
    """A patient to be; `number` is the place in the list, `consents` are (purpose, channel)."""

    number: int
    home: str
    given: str
    family: str
    preferred: str
    born: date
    language: str
    zone: str
    phone: str
    email: str
    notes: str
    consents: tuple[tuple[str, str], ...]

    @property
    def is_reached_by_both(self) -> bool:
        care = {(Purpose.CARE, ConsentChannel.SMS), (Purpose.CARE, ConsentChannel.EMAIL)}
        reachable = self.phone and self.email and care <= set(self.consents)
        return bool(reachable) and self.number not in LANDLINE


def imagine(dice: Random, *, today: date, count: int = COUNT) -> list[Person]:
    """All of them, the same for the same dice."""
    names = {
        Language.ENGLISH: Faker("en_US"),
        Language.SPANISH: Faker("es_MX"),
    }
    for each in names.values():
        each.seed_instance(dice.randrange(2**32))
    people: list[Person] = []
    for number in range(count):
        home = "harbour" if number % 2 == 0 else "sunset"
        language = Language.SPANISH if dice.random() < 0.25 else Language.ENGLISH
        person = _person(number, home, language, names[language], dice, today)
        people.append(person)
    return people


def register(person: Person, *, site: Site, by: Staff, now: datetime) -> Patient:
    patient = registration.register(
        legal_given=person.given,
        legal_family=person.family,
        preferred_name=person.preferred,
        birth_date=person.born,
        language=person.language,
        zone=person.zone,
        notes=person.notes,
        phone=person.phone,
        email=person.email,
        site=site,
        by=by,
        now=now,
    )
    for purpose, channel in person.consents:
        consent.give(patient=patient, purpose=purpose, channel=channel, by=by, now=now)
    return patient


def _person(
    number: int, home: str, language: Language, names: Faker, dice: Random, today: date
) -> Person:
    female = dice.random() < 0.8
    given = (names.first_name_female() if female else names.first_name_male()).split()[0]
    family = names.last_name()
    line = SHARE_A_NUMBER[0] if number in SHARE_A_NUMBER else number
    phone = "" if number % 31 == 7 else _phone(home, line)
    mailbox = ".".join(naming.folded(f"{given} {family}").split())
    email = "" if number % 23 == 5 else f"{mailbox}{number}@patients.example"
    return Person(
        number=number,
        home=home,
        given=given,
        family=family,
        preferred=given[:3] if number % 29 == 3 and len(given) > 5 else "",
        born=today - timedelta(days=dice.randint(22 * 365, 67 * 365)),
        language=language,
        zone=_ELSEWHERE[number % len(_ELSEWHERE)] if number % 25 == 12 else "",
        phone=phone,
        email=email,
        notes=dice.choice(_NOTES) if dice.random() < 0.2 else "",
        consents=_consents(number, phone, email, dice),
    )


def _phone(home: str, number: int) -> str:
    codes = _AREA_CODES[home]
    span = _LAST_NUMBER - _FIRST_NUMBER + 1
    place = number // 2
    return f"+1{codes[place % len(codes)]}5550{_FIRST_NUMBER + place * 11 % span}"


def _consents(number: int, phone: str, email: str, dice: Random) -> tuple[tuple[str, str], ...]:
    if number % 37 == 11:
        return ()
    channels = [ConsentChannel.SMS] * bool(phone) + [ConsentChannel.EMAIL] * bool(email)
    if number % 17 == 9:
        channels = channels[-1:]
    given = [(str(Purpose.CARE), str(channel)) for channel in channels]
    if dice.random() < 0.4:
        given += [(str(Purpose.MARKETING), str(channel)) for channel in channels]
    for purpose, share in ((Purpose.PHOTOS, 0.4), (Purpose.PHI_DETAIL, 0.3)):
        if dice.random() < share:
            given.append((str(purpose), str(ConsentChannel.ANY)))
    return tuple(given)
