"""The sheet that is kept of a signature: the words, and by whom, when and how. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime

from clinic import printing, saying_times, wall_time
from clinic.consent_forms import wording
from clinic.printing import Block, Facts, Heading, Paragraph, Strokes
from patients.signing import drawing

_SAID = {
    "en": {
        "clinic": "Clinic",
        "patient": "Patient",
        "born": "Born",
        "form": "Form",
        "edition": "{key}, edition {number}",
        "words": "SHA-256 of these words",
        "signature": "Signature",
        "signed_by": "Signed by",
        "patient_signer": "the patient",
        "guardian_signer": "parent or guardian ({relation})",
        "when": "When",
        "how": "How",
        "typed": "name typed",
        "drawn": "drawn by hand",
        "clinic_place": "at the clinic, handed over by {staff}",
        "link_place": "on the patient's own device, by their link and birth date",
        "ip": "Network address",
    },
    "es": {
        "clinic": "Clínica",
        "patient": "Paciente",
        "born": "Fecha de nacimiento",
        "form": "Formulario",
        "edition": "{key}, edición {number}",
        "words": "SHA-256 de estas palabras",
        "signature": "Firma",
        "signed_by": "Firma",
        "patient_signer": "la persona tratada",
        "guardian_signer": "madre, padre o representante ({relation})",
        "when": "Cuándo",
        "how": "Cómo",
        "typed": "nombre escrito",
        "drawn": "dibujada a mano",
        "clinic_place": "en la clínica, entregado por {staff}",
        "link_place": "en su propio dispositivo, con su enlace y fecha de nacimiento",
        "ip": "Dirección de red",
    },
}


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """Everything that a sheet tells. `place` is "clinic" or "link"; `zone` the site's."""

    language: str
    site: str
    site_address: str
    zone: str
    patient_id: int
    patient_name: str
    birth_date: date
    key: str
    number: int
    title: str
    body: str
    wording_digest: str
    signer: str
    signer_name: str
    relation: str
    way: str
    drawing: str
    place: str
    handed_by: str
    ip: str
    signed_at: datetime


def digest(facts: SheetFacts) -> str:
    """SHA-256 (hex) of all that the sheet tells, in one canonical form."""
    plain = asdict(facts) | {
        "birth_date": facts.birth_date.isoformat(),
        "signed_at": facts.signed_at.isoformat(),
    }
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sheet(facts: SheetFacts) -> bytes:
    """The PDF; its foot carries the digest of the facts."""
    return printing.pdf(
        title=facts.title,
        blocks=[*_head(facts), *wording.blocks(facts.body), *_signature(facts)],
        footer=f"SHA-256 {digest(facts)}",
        at=facts.signed_at,
        language=facts.language,
    )


def _head(facts: SheetFacts) -> list[Block]:
    said = _SAID[facts.language]
    return [
        Facts(
            (
                (said["clinic"], f"{facts.site}, {facts.site_address}"),
                (said["patient"], f"{facts.patient_name} (#{facts.patient_id})"),
                (said["born"], facts.birth_date.isoformat()),
                (said["form"], said["edition"].format(key=facts.key, number=facts.number)),
            )
        )
    ]


def _signature(facts: SheetFacts) -> list[Block]:
    said = _SAID[facts.language]
    signer = said[f"{facts.signer}_signer"].format(relation=facts.relation)
    when = saying_times.format_when(facts.signed_at, facts.zone, facts.language, with_zone=True)
    day = wall_time.local(facts.signed_at, facts.zone).date()
    place = said[f"{facts.place}_place"].format(staff=facts.handed_by)
    rows = [
        (said["signed_by"], f"{facts.signer_name}, {signer}"),
        (said["when"], f"{day.isoformat()} · {when} · {facts.signed_at.isoformat()}"),
        (said["how"], f"{said[facts.way]}, {place}"),
        *([(said["ip"], facts.ip)] if facts.ip else []),
        (said["words"], facts.wording_digest),
    ]
    pad: list[Block] = (
        [Strokes(drawing.lines(facts.drawing), (drawing.WIDTH, drawing.HEIGHT))]
        if facts.drawing
        else [Paragraph(facts.signer_name)]
    )
    return [Heading(said["signature"]), *pad, Facts(tuple(rows))]
