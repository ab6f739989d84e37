"""The ways out of the house: one module per channel, each behind `base.Channel`."""
