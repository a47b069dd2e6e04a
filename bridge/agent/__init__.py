"""The agent as its author writes it: instructions, tools, hooks."""
