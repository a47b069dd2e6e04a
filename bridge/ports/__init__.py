"""Our words and the doors: what rooms say to each other. Nothing here does anything."""
