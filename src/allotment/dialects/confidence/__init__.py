"""The API of Confidence: read and shown; pure."""
