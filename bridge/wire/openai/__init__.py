"""OpenAI's words and ours: the Realtime API's events, both ways (GA protocol)."""
