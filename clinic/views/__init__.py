"""The pages of the clinic: signing in, preferences, protocols."""
