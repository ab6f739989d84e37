"""Planning: facts of a patient → wishes → messages → changes to the ledger. Pure.

`facts` what is known · `wish` one thing to be said · `visits` and `steps` who wishes what ·
`merging` wishes become messages · `plans` the whole plan and its difference from the ledger.
"""
