"""The offline provider: an agent with no key, no network and no model to download."""
