"""One call: its decisions, and who carries them out."""
