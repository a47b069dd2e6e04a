"""Vendors' words and ours: pure translation, no socket and no clock."""
