"""The screen that books a series: who and what, dates and what will be sent, booked.

Every step is an address that carries all that was chosen (`draft`), so nothing typed is lost and
a page can be reloaded. Plain services go the same way with one session.
"""
