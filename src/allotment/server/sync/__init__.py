"""What this process serves: revisions of the store in, engines and catalogs of spaces out."""
