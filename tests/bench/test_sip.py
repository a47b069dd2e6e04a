"""The figures of calls over SIP as people read them. A whole run is in tests/cli."""

from __future__ import annotations

from bridge.bench.sip import SipLevel, SipWindow, lines


def test_a_line_for_each_level() -> None:
    """The median of the windows with the least and the most; lost calls are added up."""
    windows = [
        SipWindow(each, each / 10, lost, 0.99, (5.0, 20.0), 1.5)
        for each, lost in ((6.0, 0), (5.0, 1), (7.0, 2))
    ]

    head, line = lines([SipLevel(100, windows)]).splitlines()

    assert head.split()[:2] == ["calls", "ms/call-s"]
    assert line.split() == [
        *("100", "6.00", "(5.00-7.00)", "60%", "3", "99%", "5.0", "/", "20.0", "1.5"),
    ]
