"""
Whole calls while things die: processes are killed, stopped and cut off, and every word counts.

Callers say numbered turns, the provider answers by number, and whoever judges afterwards
compares what was said, what was heard, and what each new session of the model was told.
"""
