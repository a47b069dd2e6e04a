"""A telephony bridge: callers on one side, a realtime speech model on the other."""
