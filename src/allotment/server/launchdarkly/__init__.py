"""The paths of LaunchDarkly's API."""
