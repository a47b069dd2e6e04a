"""A strict stand-in for OpenAI's Realtime API (GA protocol). See `tests.fakes.openai_realtime`."""
