"""The words of the page on which patients send photos, in their languages. Pure."""

from __future__ import annotations

PHOTO_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Send us photos",
        "how": "Stand where it is light, with nothing on the skin, and hold the camera level.",
        "choose": "Photos",
        "hint": "Up to {} at once, JPEG, PNG or HEIC, each of at most {} MB. Where they were taken "
        "is not kept.",
        "send": "Send",
        "thanks": "Thank you. Photos that we received: {}.",
        "ask": "Before you can send photos, we need your signature for photos of your record.",
        "sign": "Read and sign",
        "back": "Back to my visits",
        "problem": "There is a problem",
        "none": "Choose a photo.",
        "too_many": "At most {} photos are taken at once. Not looked at: {}. Send those apart.",
        "file": "Photo {}: {}",
        "not_a_picture": "this is no JPEG, PNG or HEIC picture.",
        "broken": "it did not arrive whole. Send it again.",
        "too_large": "it is too large. Send a smaller one.",
        "too_many_pixels": "it is too large. Send a smaller one.",
        "too_small": "it is too small to see anything.",
        "no_photo_consent": "we need your signature first.",
        "photo_known": "we have this one already.",
        "too_many_waiting": "many of yours wait to be looked at. Send more later.",
    },
    "es": {
        "title": "Envíenos fotos",
        "how": "Póngase donde haya luz, sin nada en la piel, y sujete la cámara recta.",
        "choose": "Fotos",
        "hint": "Hasta {} a la vez, JPEG, PNG o HEIC, cada una de {} MB como mucho. No guardamos "
        "dónde se tomaron.",
        "send": "Enviar",
        "thanks": "Gracias. Fotos que hemos recibido: {}.",
        "ask": "Antes de enviar fotos necesitamos su firma para las fotos de su expediente.",
        "sign": "Leer y firmar",
        "back": "Volver a mis citas",
        "problem": "Hay un problema",
        "none": "Elija una foto.",
        "too_many": "Se reciben {} fotos como mucho a la vez. Sin mirar: {}. Envíelas aparte.",
        "file": "Foto {}: {}",
        "not_a_picture": "no es una imagen JPEG, PNG o HEIC.",
        "broken": "no ha llegado entera. Envíela otra vez.",
        "too_large": "es demasiado grande. Envíe una más pequeña.",
        "too_many_pixels": "es demasiado grande. Envíe una más pequeña.",
        "too_small": "es demasiado pequeña para ver algo.",
        "no_photo_consent": "antes necesitamos su firma.",
        "photo_known": "esta ya la tenemos.",
        "too_many_waiting": "muchas de las suyas esperan a que las veamos. Envíe más después.",
    },
}
