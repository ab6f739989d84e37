"""Screening: what a patient is asked before treatment, and what follows from the answers.

`questions`, `answers`, `validity` and `assessing` decide and are pure; `gathering` reads and
`recording` writes rows.
"""
