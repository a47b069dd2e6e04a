"""Twilio's words and ours: media streams, webhooks, their signatures, TwiML."""
