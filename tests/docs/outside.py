"""Commands of the documents that need more than this machine, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["OUTSIDE"]

OUTSIDE: Mapping[str, str] = {
    "make demo": "CI runs it: it makes a virtual environment and installs into it",
    "make crash": "tests/cli runs what it runs",
    "make test": "CI runs it: it is this test run",
    ". .venv/bin/activate": "needs the virtual environment that make demo makes",
    "bridge bench": "takes minutes; a short run is in tests/cli",
    "sudo apt-get install --no-install-recommends baresip": "installs onto the machine",
    'baresip -f phone -e "/uanew <sip:me@127.0.0.1>;regint=0" '
    '-e "/dial sip:agent@127.0.0.1:5062"': "needs a sound card; tests/journeys/sip have files",
    'baresip -f phone -e "/uanew <sip:me@127.0.0.1>;regint=0;auth_pass=a-long-password" '
    '-e "/dial sip:agent@127.0.0.1:5062"': "needs a sound card, too",
    "bridge dial sip:me@127.0.0.1:5070": "needs a telephone there; tests/cli dials one",
    'bridge dial "sip:+14155550123@sip.carrier.example;transport=tcp"': "needs a trunk",
    "bridge doctor": "asks a provider and Twilio, with a real account",
}
"""Whole commands, as they stand."""
