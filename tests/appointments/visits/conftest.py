"""Acts on visits are watched for their entries in the audit trail."""

from tests.audited import audited as audited  # a fixture
