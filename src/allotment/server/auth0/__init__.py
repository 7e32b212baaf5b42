"""Auth0's Experiment Center over HTTP, at the paths of the vendor."""
