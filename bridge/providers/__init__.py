"""The models behind the door RealtimeModel."""
