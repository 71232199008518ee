"""One module per framework; nothing else in the package knows any."""
