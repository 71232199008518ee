"""A local web page to choose parameters by eye: its controls, what it shows, and the page itself."""
