"""Who is due to hear from the clinic: the next session, a missed one, the touch-up."""
