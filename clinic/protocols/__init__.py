"""Care protocols: what a treatment asks for, as versioned data with its sources."""
