"""The words around the questions that patients answer before a visit. Pure.

Neutral whatever was answered: what follows from it is said by a person. Nobody is told to stop a
prescribed medicine.
"""

from __future__ import annotations

from collections.abc import Mapping

QUESTION_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "ask": "Before your visit, please answer a few health questions. It takes two minutes.",
        "answer": "Answer the questions",
        "title": "Questions before your visit",
        "intro": "Your answers tell us whether the treatment is right for you on that day. Keep "
        "taking what is prescribed to you, unless whoever prescribed it tells you otherwise.",
        "problem": "There is a problem",
        "open": "Some questions have no answer yet, or a day that we cannot read.",
        "send": "Send my answers",
        "thanks_title": "Thank you",
        "thanks": "We have your answers. If anything about your visit changes, we will call you.",
        "none_title": "Nothing to answer",
        "back": "Back to your visit",
        "closed": "Somebody else is changing this right now. Please send your answers again.",
    },
    "es": {
        "ask": "Antes de su cita, responda por favor a unas preguntas de salud. Son dos minutos.",
        "answer": "Responder a las preguntas",
        "title": "Preguntas antes de su cita",
        "intro": "Sus respuestas nos dicen si el tratamiento le conviene ese día. Siga tomando lo "
        "que tenga recetado, salvo que quien lo recetó le diga otra cosa.",
        "problem": "Hay un problema",
        "open": "Faltan respuestas, o hay un día que no podemos leer.",
        "send": "Enviar mis respuestas",
        "thanks_title": "Gracias",
        "thanks": "Tenemos sus respuestas. Si algo cambia en su cita, le llamaremos.",
        "none_title": "Nada que responder",
        "back": "Volver a su cita",
        "closed": "Alguien lo está cambiando ahora. Envíe sus respuestas otra vez, por favor.",
    },
}
