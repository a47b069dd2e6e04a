"""
The scripts with which workers know of each other; `scripts` has those of the calls.

All may be sent twice. Times are Redis's own, in milliseconds.
"""

from __future__ import annotations

from bridge.store.redis.scripts import NOW, Script

__all__ = ["BEAT", "FLEET_SCRIPTS", "HOLDING", "MEMBERS", "RESERVE"]

# A worker is alive, or was heard so long ago. Who was silent for very long is forgotten.
# KEYS  heard, told
# ARGV  worker, what it tells of itself, silent for, ttl
BEAT = Script(
    NOW
    + """
redis.call('ZADD', KEYS[1], whole(now - ARGV[3]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local old = whole(now - ARGV[4])
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', old)) do
  redis.call('HDEL', KEYS[2], worker)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', old)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 'OK'
"""
)

# All workers, with what they told last and for how long they have been silent.
# KEYS  heard, told
# ->    {what it tells of itself, silent for, ...}
MEMBERS = Script(
    NOW
    + """
local heard = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'WITHSCORES')
local found = {}
for at = 1, #heard, 2 do
  found[#found + 1] = redis.call('HGET', KEYS[2], heard[at]) or ''
  found[#found + 1] = whole(now - heard[at + 1])
end
return found
"""
)

# How a call is held.
# KEYS  call
# ->    {} | {state, fence, owner, 1 if its owner's lease lasts, fence on the ticket that the
#       holder showed or '', since when the carrier has asked what comes next or '', carrier}
HOLDING = Script(
    NOW
    + """
local h = redis.call('HMGET', KEYS[1], 'state', 'fence', 'owner', 'lease', 'claim', 'ticket',
  'asked', 'carrier')
if not h[1] then return {} end
-- Whoever put back a record that was lost has not told which ticket it had.
local shown, claim = string.match(h[6] or '', '^(%d+):(.*)$')
if claim ~= h[5] then shown = '' end
local asked = tonumber(h[7] or '0')
return {h[1], h[2], h[3] or '', tonumber(h[4] or '0') >= now and 1 or 0, shown or '',
  asked > 0 and whole(now - asked) or '', h[8] or ''}
"""
)

# Whoever rescues a call says so before.
# KEYS  rescue
# ARGV  attempt, reserved for, window
# ->    how often the call was rescued within the window, or 0: somebody else is at it
RESERVE = Script(
    NOW
    + """
local h = redis.call('HMGET', KEYS[1], 'attempt', 'until', 'count')
if h[1] == ARGV[1] then return tonumber(h[3]) end
if tonumber(h[2] or '0') > now then return 0 end
local count = tonumber(h[3] or '0') + 1
redis.call('HSET', KEYS[1], 'attempt', ARGV[1], 'until', whole(now + ARGV[2]),
  'count', whole(count))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return count
"""
)

FLEET_SCRIPTS = {
    "beat": BEAT,
    "members": MEMBERS,
    "holding": HOLDING,
    "reserve": RESERVE,
}
