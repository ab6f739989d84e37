"""A chain of clinics in virtual time: what would be sent, when, and what the rules hold back. Pure.

Imagined clinics and patients, but the very plan, gate and caps of production.
"""
