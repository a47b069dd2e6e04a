"""
The scripts that run inside Redis: each is one step of the protocol, whole or not at all.

Rules of the protocol, which every script here keeps:

- A claim takes the call from whoever held it. It never waits, and it never deletes.
- A fence only rises: it is above the stored one, above the one in the caller's ticket, and
  not below Redis's clock nor the worker's. Even a Redis that lost the latest claims in a
  failover gives out no number twice.
- Who holds the call is told by the claim id, and who came later by the fence. The holder may
  write; a higher fence may put its whole record in the place of what a failover left over.
- Writes of one claim are numbered, and each change names the number that it builds on. A late
  or doubled write changes nothing, and a change that builds on something which is not there
  is answered with MISSING: then the holder writes its whole record.
- The end of a call is a fact that stays for a while, so that late writes meet it.

All scripts may be sent twice. Times are Redis's own, in milliseconds. A script that stores
something begins with that, so that a Redis that is full refuses it before anything is changed;
only the end of a call, which makes room, is always taken in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

__all__ = [
    "ACK",
    "CLAIM",
    "END",
    "EXPECT",
    "LOOK",
    "NOW",
    "PUSH",
    "READ",
    "SAVE",
    "SCRIPTS",
    "STANDING",
    "TOOL_BEGIN",
    "TOOL_DONE",
    "Script",
]


@dataclass(frozen=True, slots=True)
class Script:
    """A text, and the name under which Redis keeps it."""

    text: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


NOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
"""

_LATELY = """
local function lately(list, since)
  local times = {}
  for at in string.gmatch(list or '', '%d+') do
    if tonumber(at) >= since then times[#times + 1] = at end
  end
  while #times >= 64 do table.remove(times, 1) end
  return times
end
"""

_HOLDER = """
local held = redis.call('HMGET', KEYS[1], 'fence', 'claim', 'state')
if not held[1] then return {'MISSING'} end
if held[2] ~= ARGV[2] then
  if tonumber(held[1]) < tonumber(ARGV[1]) then return {'MISSING'} end
  return {'FENCED'}
end
if held[3] == 'ended' then return {'FENCED'} end
"""

# How a call stands, and, told that a leg has ended, the count of legs with it.
# KEYS  call
# ARGV  leg ended (1 or 0), window, ttl
# ->    {state, fence, legs lately, sealed verdict or ''}
STANDING = Script(
    NOW
    + _LATELY
    + """
local h = redis.call('HMGET', KEYS[1], 'state', 'fence', 'claims', 'ends', 'verdict', 'planned')
local since = now - tonumber(ARGV[2])
local claims, ends = lately(h[3], since), lately(h[4], since)
if ARGV[1] == '1' and h[1] ~= 'ended' then
  -- A leg that was let go of on purpose does not count.
  if h[6] ~= '1' then ends[#ends + 1] = whole(now) end
  redis.call('HSET', KEYS[1], 'ends', table.concat(ends, ','), 'planned', '0',
    'asked', whole(now))
  -- A leg of a call that nobody knows: whoever knew of it has lost it.
  if not h[1] then redis.call('HSET', KEYS[1], 'state', 'new', 'fence', '0', 'lost', '1') end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {h[1] or 'new', h[2] or '0', math.max(#claims, #ends), h[5] or ''}
"""
)

# A call has come in. Nothing that is known of it is changed.
# KEYS  call, log
# ARGV  ttl, number of fields, field, value, ..., number, item, ...
# ->    {'OK'} | {'KNOWN'}
EXPECT = Script(
    NOW
    + """
local h = redis.call('HMGET', KEYS[1], 'state', 'known', 'fence')
if h[2] or (h[1] and h[1] ~= 'new') then return {'KNOWN'} end
local last = 2 + 2 * ARGV[2]
redis.call('HSET', KEYS[1], 'state', 'new', 'fence', h[3] or '0', 'known', '1', 'first', '0',
  'count', whole((#ARGV - last) / 2))
redis.call('DEL', KEYS[2])
for at = 3, last, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
for at = last + 1, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return {'OK'}
"""
)

# Take the call for a new leg. A ticket with a higher fence than the stored one is good: the
# store has lost a claim, and the ticket knows better.
# KEYS  call, log
# ARGV  fence of the ticket, claim id, worker, worker's clock, lease, ttl, window
# ->    {'OK', fence, [field, value, ...], [number, item, ...]} | {'STALE'} | {'ENDED'}
CLAIM = Script(
    NOW
    + _LATELY
    + """
local h = redis.call('HMGET', KEYS[1], 'fence', 'claim', 'state', 'claims')
if h[3] == 'ended' then return {'ENDED'} end
if h[2] ~= ARGV[2] then
  local stored, shown = tonumber(h[1] or '0'), tonumber(ARGV[1])
  if stored > shown then return {'STALE'} end
  local fence = math.max(stored + 1, shown + 1, now, tonumber(ARGV[4]))
  local claims = lately(h[4], now - tonumber(ARGV[7]))
  claims[#claims + 1] = whole(now)
  redis.call('HSET', KEYS[1], 'fence', whole(fence), 'claim', ARGV[2], 'owner', ARGV[3],
    'state', 'live', 'lease', whole(now + ARGV[5]), 'seq', '0',
    'claims', table.concat(claims, ','), 'ticket', ARGV[1] .. ':' .. ARGV[2], 'asked', '0')
  if not h[1] then redis.call('DEL', KEYS[2]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
end
return {'OK', redis.call('HGET', KEYS[1], 'fence'),
  redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
"""
)

# What a claim would read, without a claim: for a Redis that refuses to write.
# KEYS  call, log
# ->    {[field, value, ...], [number, item, ...]}
LOOK = Script("return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}")

# The holder's only way to write, to keep the lease, and to learn that there is mail.
# Items are numbered; those below `first` and from `first` + `count` on are no longer said.
# KEYS  call, log, mail
# ARGV  fence, claim id, worker or '', number of this write, number of the write that it builds on
#       ('': it builds on none, for it is the whole record), state (live, waiting, or handed:
#       waiting, because its holder let go of the leg on purpose), lease,
#       ttl, first, count, number of fields, field, value, ..., number, item, ...
# ->    {'OK', id of the latest mail or ''} | {'OLD', the same}: nothing was changed
#       | {'FENCED'} | {'ENDED'} | {'MISSING'}: send the whole record
SAVE = Script(
    NOW
    + """
local h = redis.call('HMGET', KEYS[1], 'fence', 'claim', 'state', 'seq', 'first', 'count',
  'claims')
local fence, stored = tonumber(ARGV[1]), tonumber(h[1] or '0')
local handed = ARGV[6] == 'handed'
local state = handed and 'waiting' or ARGV[6]
local number, base = tonumber(ARGV[4]), tonumber(ARGV[5])
local mine = h[2] == ARGV[2]
if h[1] and not mine and stored >= fence then return {'FENCED'} end
if h[3] == 'ended' then return {'ENDED'} end
local latest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
latest = latest[1] and latest[1][1] or ''
if mine then
  if number <= tonumber(h[4] or '0') then return {'OLD', latest} end
  if h[3] == 'waiting' and state == 'live' then return {'FENCED'} end
end
if base and not (mine and base == tonumber(h[4])) then return {'MISSING'} end

local lease = state == 'live' and whole(now + ARGV[7]) or '0'
redis.call('HSET', KEYS[1], 'fence', whole(math.max(stored, fence)), 'claim', ARGV[2],
  'state', state, 'lease', lease, 'seq', ARGV[4], 'known', '1', 'first', ARGV[9],
  'count', ARGV[10])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'owner', ARGV[3]) end
if handed then
  -- Neither the claim of this leg nor its end is a sign of a loop.
  local others = string.gsub(h[7] or '', ',?%d+$', '')
  redis.call('HSET', KEYS[1], 'claims', others, 'planned', '1')
end
local first, count = tonumber(ARGV[9]), tonumber(ARGV[10])
if base then
  local from, upto = tonumber(h[5]), h[5] + h[6] - 1
  for n = from, math.min(first - 1, upto) do redis.call('HDEL', KEYS[2], n) end
  for n = math.max(from, first + count), upto do redis.call('HDEL', KEYS[2], n) end
else
  redis.call('DEL', KEYS[2])
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(name, 1, 2) == 'r:' then redis.call('HDEL', KEYS[1], name) end
  end
end
local at = 12
for _ = 1, tonumber(ARGV[11]) do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  at = at + 2
end
while ARGV[at] do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  at = at + 2
end
redis.call('PEXPIRE', KEYS[1], ARGV[8])
redis.call('PEXPIRE', KEYS[2], ARGV[8])
return {'OK', latest}
"""
)

# The call is over. What was said goes, the fact stays; the first verdict counts.
# KEYS  call, log, mail, seen, tools
# ARGV  fence and claim id of the holder ('' and '': whoever says so), sealed verdict, ttl
# ->    {'OK'} | {'FENCED'}: somebody claimed the call since
END = Script(
    """
local h = redis.call('HMGET', KEYS[1], 'fence', 'claim', 'state')
if h[3] == 'ended' then return {'OK'} end
local later = h[1] and h[2] ~= ARGV[2] and tonumber(h[1]) >= (tonumber(ARGV[1]) or 0)
if ARGV[2] ~= '' and later then return {'FENCED'} end
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, 2) == 'r:' then redis.call('HDEL', KEYS[1], name) end
end
redis.call('HSETNX', KEYS[1], 'fence', '0')
redis.call('HSET', KEYS[1], 'state', 'ended', 'verdict', ARGV[3], 'lease', '0')
redis.call('HDEL', KEYS[1], 'known')
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'OK'}
"""
)

# Leave a message for whoever holds the call now or next. The same id twice is one message.
# KEYS  call, mail, seen
# ARGV  id of the message, sealed message, ttl, longest mail
# ->    {'OK', worker} | {'SEEN', worker} | {'ENDED'} | {'MISSING'}: there is no such call
PUSH = Script(
    """
local h = redis.call('HMGET', KEYS[1], 'state', 'owner')
if not h[1] then return {'MISSING'} end
if h[1] == 'ended' then return {'ENDED'} end
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return {'SEEN', h[2] or ''} end
local id = redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], '*', 'id', ARGV[1], 'text', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[1], id)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return {'OK', h[2] or ''}
"""
)

# The holder reads what nobody has acknowledged yet, oldest first.
# KEYS  call, mail
# ARGV  fence, claim id
# ->    {'OK', [[place, ['id', id, 'text', sealed message]], ...]} | {'FENCED'} | {'MISSING'}
READ = Script(_HOLDER + "return {'OK', redis.call('XRANGE', KEYS[2], '-', '+')}")

# The holder has done what the messages up to this place ask for.
# KEYS  call, mail
# ARGV  fence, claim id, place
# ->    {'OK'} | {'FENCED'} | {'MISSING'}
ACK = Script(
    _HOLDER
    + """
for _, message in ipairs(redis.call('XRANGE', KEYS[2], '-', ARGV[3])) do
  redis.call('XDEL', KEYS[2], message[1])
end
return {'OK'}
"""
)

# The holder is about to run a tool, which may act on the world outside.
# KEYS  call, tools
# ARGV  fence, claim id, id of the tool call, ttl
# ->    {'RUN'}: nobody else has begun it | {'BEGUN'}: an earlier holder has, and nobody knows
#       how it went | {'DONE', sealed result} | {'FENCED'} | {'MISSING'}
TOOL_BEGIN = Script(
    _HOLDER
    + """
local known = redis.call('HGET', KEYS[2], ARGV[3])
if known and string.sub(known, 1, 5) == 'done:' then return {'DONE', string.sub(known, 6)} end
if known and known ~= 'begun:' .. ARGV[2] then return {'BEGUN'} end
redis.call('HSET', KEYS[2], ARGV[3], 'begun:' .. ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {'RUN'}
"""
)

# The tool has answered. Whoever ran it may say so, even if the call has moved on meanwhile:
# the next holder would rather know.
# KEYS  call, tools
# ARGV  id of the tool call, sealed result, ttl
# ->    {'OK'} | {'ENDED'} | {'MISSING'}
TOOL_DONE = Script(
    """
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {'MISSING'} end
if state == 'ended' then return {'ENDED'} end
redis.call('HSET', KEYS[2], ARGV[1], 'done:' .. ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {'OK'}
"""
)

SCRIPTS = {
    "standing": STANDING,
    "expect": EXPECT,
    "claim": CLAIM,
    "look": LOOK,
    "save": SAVE,
    "end": END,
    "push": PUSH,
    "read": READ,
    "ack": ACK,
    "tool begin": TOOL_BEGIN,
    "tool done": TOOL_DONE,
}
