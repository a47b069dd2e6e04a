"""
The reference of settings, made from the table that the program reads.

    python -m tests.docs.settings_page

writes it anew.
"""

from __future__ import annotations

from bridge.config import SETTINGS, Setting
from tests.docs.pages import DOCS

__all__ = ["PAGE", "render"]

PAGE = DOCS / "reference" / "settings.md"

_HEAD = """\
# Settings

The program reads its settings from the environment, and from a file `.env` in the working
directory; the environment goes first. It reads them once, when it starts, and names everything
that is wrong at once. An empty setting counts as left out.

The table is made from `bridge/config/settings.py`: after a change there,
`python -m tests.docs.settings_page` writes this page anew.

| Name | Meaning | Left out |
|---|---|---|
"""

_TAIL = """
## What serving needs

`bridge serve` refuses to start without `BRIDGE_PUBLIC_URL`, `TWILIO_ACCOUNT_SID` and
`TWILIO_AUTH_TOKEN`, unless `BRIDGE_INSECURE=1`. With that, requests are not checked for Twilio's
signature where there is no token, and anybody who finds the port can place calls: it is for
development on one's own machine.

Workers take over each other's calls, those of one `bridge serve` (`WEB_CONCURRENCY`) and those of
several that share `REDIS_URL` and `BRIDGE_SECRET_KEY`. Without `REDIS_URL` there is one worker, and
its calls end with it.

## Forms

- `TWILIO_AUTH_TOKEN` takes two tokens, separated by a comma, while one is being rotated: the first
  is used for requests to Twilio, each of them for checking signatures.
- `BRIDGE_SECRET_KEY` takes several keys of at least 16 characters, newest first.
- `BRIDGE_PUBLIC_URL` is an origin only (`https://bridge.example.com`), without a path. Plain
  `http://` is taken for this machine, and with `BRIDGE_INSECURE=1`.
- `BRIDGE_FALLBACK_NUMBER` is a number such as `+14155550100`, or a `sip:` URI.
- `BRIDGE_MAX_CALLS` bounds the calls of each worker. Without it a worker measures what it can bear:
  five times a second it looks how late its event loop is, and how much of its core its thread uses.
  It refuses new calls when in the last second timers were more than 25 ms late for 30 % of the
  time, or the thread used more than 80 % of the core, and takes them again below 20 % and
  65 %. It never refuses the only call, nor one that comes back from another worker. A number
  replaces all this.
- A flag is `1`, `true`, `yes`, `on`, or `0`, `false`, `no`, `off`.
- Names that begin with `BRIDGE_` and are almost one of these are warned of when the program starts.
"""


def render() -> str:
    """The whole page."""
    return _HEAD + "".join(map(_row, SETTINGS)) + _TAIL


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else setting.otherwise or "–"
    return f"| `{setting.name}` | {setting.meaning} | {default} |\n"


if __name__ == "__main__":
    PAGE.write_text(render())
