"""Descriptions as others write them."""

from __future__ import annotations

from bridge.wire.sdp.agreement import Local

__all__ = ["LOCAL", "PHONE", "RFC_8866", "sdp"]

LOCAL = Local("198.51.100.7", 30_000)

RFC_8866 = b"""v=0
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
s=Call to John Smith
i=SDP Offer #1
u=http://www.jdoe.example.com/home.html
e=Jane Doe <jane@jdoe.example.com>
p=+1 617 555-6011
c=IN IP4 198.51.100.1
t=0 0
m=audio 49170 RTP/AVP 0
m=audio 49180 RTP/AVP 0
m=video 51372 RTP/AVP 99
c=IN IP6 2001:db8::2
a=rtpmap:99 h263-1998/90000
""".replace(b"\n", b"\r\n")
"""Section 5's example."""

PHONE = ("m=audio 40000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:20")


def sdp(*lines: str, address: str = "192.0.2.10") -> bytes:
    """A description with these lines at its end."""
    family = "IP6" if ":" in address else "IP4"
    place = f"IN {family} {address}"
    head = ("v=0", f"o=- 1 1 {place}", "s=-", f"c={place}", "t=0 0")
    return "".join(f"{line}\r\n" for line in (*head, *lines)).encode()
