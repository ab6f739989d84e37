"""The words of the page on which a patient takes or leaves a place on offer. Pure."""

from __future__ import annotations

from collections.abc import Mapping

OFFER_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "open_title": "A time has opened for you",
        "the_time": "The time that is open",
        "instead_of": "Instead of your visit on",
        "later": "Your later visits move along",
        "later_stay": "Your later visits stay as they are.",
        "was_to": "{} instead of {}",
        "kept": "We keep it for you until {}. The first to take it has it.",
        "accept": "Take this time",
        "decline": "No, thank you",
        "stay": "If you do not take it, nothing changes and you stay on our list.",
        "accepted_title": "This time is yours",
        "accepted": "We look forward to seeing you. A message with everything is on its way.",
        "changed": "These are your visits now",
        "declined_title": "Thank you for telling us",
        "declined": "Nothing changes, and you stay on our list. We will write when another time "
        "opens.",
        "gone_title": "Somebody else was first",
        "gone": "This time is taken. Nothing changes, and you stay on our list. We will write when "
        "another time opens.",
        "expired_title": "This time is no longer kept",
        "expired": "The time to answer is over. Nothing changes, and you stay on our list. If you "
        "still want to come earlier, please call us.",
        "withdrawn_title": "This time is no longer open",
        "withdrawn": "We had to take it back, and we are sorry. Nothing changes, and you stay on "
        "our list.",
        "problem_title": "We could not give you this time",
        "problem": "It no longer fits with your other visits. Nothing has changed. Please call "
        "us, and we will find another.",
        "call": "Call us",
    },
    "es": {
        "open_title": "Se ha abierto una hora para usted",
        "the_time": "La hora que está libre",
        "instead_of": "En lugar de su cita del",
        "later": "Sus citas siguientes cambian con ella",
        "later_stay": "Sus citas siguientes quedan como están.",
        "was_to": "{} en lugar de {}",
        "kept": "La guardamos hasta {}. Es de quien la tome primero.",
        "accept": "Tomar esta hora",
        "decline": "No, gracias",
        "stay": "Si no la toma, nada cambia y sigue en nuestra lista.",
        "accepted_title": "La hora es suya",
        "accepted": "Le esperamos. Recibirá un mensaje con todos los datos.",
        "changed": "Sus citas son ahora",
        "declined_title": "Gracias por decírnoslo",
        "declined": "Nada cambia y sigue en nuestra lista. Le escribiremos cuando se abra otra "
        "hora.",
        "gone_title": "Otra persona fue más rápida",
        "gone": "Esta hora ya está ocupada. Nada cambia y sigue en nuestra lista. Le escribiremos "
        "cuando se abra otra.",
        "expired_title": "Esta hora ya no está guardada",
        "expired": "El plazo para responder ha terminado. Nada cambia y sigue en nuestra lista. "
        "Si aún quiere venir antes, llámenos.",
        "withdrawn_title": "Esta hora ya no está disponible",
        "withdrawn": "Tuvimos que retirarla y lo sentimos. Nada cambia y sigue en nuestra lista.",
        "problem_title": "No pudimos darle esta hora",
        "problem": "Ya no encaja con sus otras citas. Nada ha cambiado. Llámenos y buscaremos "
        "otra.",
        "call": "Llámenos",
    },
}
