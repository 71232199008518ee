"""One folder per framework; the rest of the package imports none."""
