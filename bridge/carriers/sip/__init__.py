"""SIP, answered directly: sockets, audio and legs around the values of `wire/sip`."""
