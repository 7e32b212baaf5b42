"""OFREP, the remote evaluation protocol of OpenFeature, over the flags of a space."""
