"""Lua scripts: each is one atomic read-modify-write in Redis.

What belongs to one tag has names that begin with the same ``{...}``, so that a Redis Cluster keeps it in one slot: its
entry is ``g``, the names of what is stored with it ``v``, sorted by time, each of these ``r`` and its name, and who
renders it ``w`` and its name.
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

# unpack() takes some thousands of arguments.
_REMOVE = """
local function unlink(slot, names)
  local keys = {}
  for i, name in ipairs(names) do
    keys[#keys + 1] = slot .. 'r' .. name
    if #keys == 1000 or i == #names then
      redis.call('UNLINK', unpack(keys))
      keys = {}
    end
  end
end
"""

# Removes what was stored with a tag or, where it may yet be served, lets it pass in so many ms; the names may be
# garbage.
_RETIRE = (
    _REMOVE
    + """
local function pass(key, left)
  local before = redis.call('PTTL', key)
  if before == -1 or before > left then redis.call('PEXPIRE', key, left) end
end
local function retire(slot, left)
  local names = redis.pcall('ZRANGE', slot .. 'v', 0, -1)
  if names.err or left == 0 then
    unlink(slot, names.err and {} or names)
    redis.call('UNLINK', slot .. 'v')
  else
    for _, name in ipairs(names) do pass(slot .. 'r' .. name, left) end
    pass(slot .. 'v', left)
  end
end
"""
)

# KEYS: entries. ARGV: now, lease in ms, a token, the holder, ms for which what was stored with each is yet kept.
RELEASE = (
    _ENTRIES
    + _RETIRE
    + """
for i, key in ipairs(KEYS) do
  local _, holds = parse(get(key), now)
  holds[ARGV[4]] = nil
  put(key, token .. 'i' .. i, holds, lease)
  retire(string.sub(key, 1, -2), tonumber(ARGV[5]))
end
"""
)

# KEYS: an entry, the names, each response. ARGV: the entry that has to stand, ms for which it and the names are kept,
# how many names are kept, now, then for each response its bytes, ms to live, and name; 0 ms is forever.
WRITE = (
    _REMOVE
    + """
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local longest = tonumber(ARGV[2])
local function outlive(key, left)
  if longest == 0 then redis.call('PERSIST', key) elseif left ~= -1 and left < longest then
    redis.call('PEXPIRE', key, longest)
  end
end
outlive(KEYS[1], redis.call('PTTL', KEYS[1]))
local left = redis.call('PTTL', KEYS[2])
if type(redis.pcall('ZCARD', KEYS[2])) == 'table' then
  redis.call('UNLINK', KEYS[2])
  left = -2
end
for i = 3, #KEYS do
  local first = 5 + (i - 3) * 3
  local timeout = tonumber(ARGV[first + 1])
  if timeout == 0 then
    redis.call('SET', KEYS[i], ARGV[first])
  else
    redis.call('SET', KEYS[i], ARGV[first], 'PX', timeout)
  end
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[first + 2])
  redis.call('UNLINK', string.sub(KEYS[2], 1, -2) .. 'w' .. ARGV[first + 2])
end
outlive(KEYS[2], left)
local surplus = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3])
if surplus > 0 then
  local names = redis.call('ZRANGE', KEYS[2], 0, surplus - 1)
  redis.call('ZREM', KEYS[2], unpack(names))
  unlink(string.sub(KEYS[2], 1, -2), names)
end
return 1
"""
)

# KEYS: entries. ARGV: ms for which what was stored with each is yet kept.
SWEEP = (
    _RETIRE
    + """
for _, key in ipairs(KEYS) do retire(string.sub(key, 1, -2), tonumber(ARGV[1])) end
"""
)
