"""The whole record of a patient: stopped, merged, handed out, erased."""
