"""Lua scripts: each is one atomic read-modify-write in Redis.

What belongs to one tag has names that begin with the same ``{...}``, so that a Redis Cluster keeps it in one slot: its
entry is ``g``, the set of the responses stored with it ``v``, and each of these ``r`` and a name.
"""

# Reads entries in the form of dumper.stores.entries. parse() returns the generation, the holds that are not overdue,
# and whether any was; false for what is missing or garbage.
_ENTRIES = """
local function get(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value or ''
end
local function parse(value, now)
  local generation, rest = string.match(value, '^1 ([%l%d]+)(.*)$')
  if not generation or string.gsub(rest, ' [%l%d]+=%d+%.?%d*', '') ~= '' then return false, {}, false end
  local holds, overdue = {}, false
  for holder, deadline in string.gmatch(rest, ' ([%l%d]+)=([%d.]+)') do
    if tonumber(deadline) <= now then overdue = true else holds[holder] = deadline end
  end
  return generation, holds, overdue
end
local function put(key, generation, holds, lease)
  local value, held = '1 ' .. generation, false
  for holder, deadline in pairs(holds) do
    value, held = value .. ' ' .. holder .. '=' .. deadline, true
  end
  if held then redis.call('SET', key, value) else redis.call('SET', key, value, 'PX', lease) end
  return value
end
local now, lease, token = tonumber(ARGV[1]), ARGV[2], ARGV[3]
"""

# KEYS: entries. ARGV: now, lease in ms, a token. Returns the entries as they stand.
LEASE = (
    _ENTRIES
    + """
local found = {}
for i, key in ipairs(KEYS) do
  local value = get(key)
  local generation, holds, overdue = parse(value, now)
  if not generation or overdue then value = put(key, token .. 'i' .. i, holds, lease) end
  found[i] = value
end
return found
"""
)

# KEYS: entries. ARGV: now, lease in ms, a token, the holder, its deadline.
HOLD = (
    _ENTRIES
    + """
for i, key in ipairs(KEYS) do
  local _, holds = parse(get(key), now)
  holds[ARGV[4]] = ARGV[5]
  put(key, token .. 'i' .. i, holds, lease)
end
"""
)

# pcall: the set may be garbage, which is then removed as well.
_REMOVE = """
local function remove(slot)
  for _, name in ipairs(redis.pcall('SMEMBERS', slot .. 'v')) do redis.call('UNLINK', slot .. 'r' .. name) end
  redis.call('UNLINK', slot .. 'v')
end
"""

# KEYS: entries. ARGV: now, lease in ms, a token, the holder. Removes what was stored with each.
RELEASE = (
    _ENTRIES
    + _REMOVE
    + """
for i, key in ipairs(KEYS) do
  local _, holds = parse(get(key), now)
  holds[ARGV[4]] = nil
  put(key, token .. 'i' .. i, holds, lease)
  remove(string.sub(key, 1, -2))
end
"""
)

# KEYS: an entry, the response, the set. ARGV: the entry that has to stand, the bytes, ms to live or 0, the name.
WRITE = """
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local timeout = tonumber(ARGV[3])
local function outlive(key, left)
  if timeout == 0 then redis.call('PERSIST', key) elseif left ~= -1 and left < timeout then
    redis.call('PEXPIRE', key, timeout)
  end
end
outlive(KEYS[1], redis.call('PTTL', KEYS[1]))
if timeout == 0 then redis.call('SET', KEYS[2], ARGV[2]) else redis.call('SET', KEYS[2], ARGV[2], 'PX', timeout) end
local left = redis.call('PTTL', KEYS[3])
if type(redis.pcall('SADD', KEYS[3], ARGV[4])) == 'table' then
  redis.call('UNLINK', KEYS[3])
  redis.call('SADD', KEYS[3], ARGV[4])
  left = -2
end
outlive(KEYS[3], left)
return 1
"""

# KEYS: entries. Removes what was stored with each.
SWEEP = (
    _REMOVE
    + """
for _, key in ipairs(KEYS) do remove(string.sub(key, 1, -2)) end
"""
)
