"""Who the patients are, how they are reached and what they agreed to."""

from patients.models.consent import ConsentChannel, ContactConsent, Purpose
from patients.models.contact import ContactKind, ContactPoint
from patients.models.guardian import Guardian, Relation
from patients.models.merge import RecordMerge
from patients.models.patient import Language, Patient, SkinType
from patients.models.screening import (
    AnswerValue,
    ScreeningAnswer,
    ScreeningDecision,
    ScreeningMoment,
)
from patients.models.signed_form import SignedForm, Signer, SigningPlace, SigningWay
from patients.models.told_apart import ToldApart

__all__ = [
    "AnswerValue",
    "ConsentChannel",
    "ContactConsent",
    "ContactKind",
    "ContactPoint",
    "Guardian",
    "Language",
    "Patient",
    "Purpose",
    "RecordMerge",
    "Relation",
    "ScreeningAnswer",
    "ScreeningDecision",
    "ScreeningMoment",
    "SignedForm",
    "Signer",
    "SigningPlace",
    "SigningWay",
    "SkinType",
    "ToldApart",
]
