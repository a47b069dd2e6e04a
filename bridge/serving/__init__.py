"""A worker that is served, the supervisor over several of them, and the watchdog in each."""
