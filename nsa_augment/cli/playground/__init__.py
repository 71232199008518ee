"""A local page on which parameters are chosen by eye: controls, what they show, and the page itself."""
