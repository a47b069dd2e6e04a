"""The carriers behind the door Leg."""
