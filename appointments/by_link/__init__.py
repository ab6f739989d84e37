"""What patients do themselves by a link: confirm, move and cancel their visits, take that back,
book a touch-up, or ask for what they do not find.

Each act is the same that staff do, with nobody named (`by` is None): it overrides nothing, and the
link remembers it. Refuses to know the words of the pages.
"""
