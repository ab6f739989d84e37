"""What a manager asks at the end of a week: measured and compared."""
