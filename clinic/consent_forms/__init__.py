"""Consent forms: drafted, published and retired, word for word."""
