"""The load benchmark: many paced calls through a real worker, beside plain relays."""
