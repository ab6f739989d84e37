"""Consent forms as patients sign and withdraw them."""
