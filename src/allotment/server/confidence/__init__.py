"""The paths of Confidence's API."""
