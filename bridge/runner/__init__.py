"""A realtime session kept alive: tools, updates, resumption."""
