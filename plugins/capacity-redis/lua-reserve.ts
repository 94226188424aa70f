import { redisScript } from "@vmx/shared-state-redis/connection";
import { countersLua } from "./lua-counters.ts";

/**
 * The gate of a connection's pools. Shares are whole numbers of 0.001 percent and every comparison is one of whole
 * numbers, as in the store for one process: the same attempts get the same answers.
 */
const gateLua = `
local whole = 100000
local sharesKeptMs = 604800000

-- Reads the gate's arguments from \`at\` on; answers what the pools stand at.
local function openGate(at, tokens, counters)
  local gate = { connection = ARGV[at], limit = tonumber(ARGV[at + 1]), own = tonumber(ARGV[at + 2]) }
  gate.total = counters[tonumber(ARGV[at + 3])].t
  local count = tonumber(ARGV[at + 4])
  gate.shares = prefix .. "s:" .. gate.connection
  local start, ends = windowOf("minute")
  gate.ends = ends
  gate.used = prefix .. "p:" .. gate.connection .. ":" .. text(start)
  gate.denied = prefix .. "q:" .. gate.connection .. ":" .. text(start)
  gate.pools = {}
  local shareFields, useFields = {}, {}
  for index = 1, count do
    local name = ARGV[at + 2 + index * 3]
    gate.pools[index] = {
      name = name, min = tonumber(ARGV[at + 3 + index * 3]), max = tonumber(ARGV[at + 4 + index * 3])
    }
    shareFields[index] = "c:" .. name
    useFields[index] = "u:" .. name
  end
  useFields[count + 1] = "g"
  local currents = count > 0 and redis.call("HMGET", gate.shares, unpack(shareFields)) or {}
  local uses = redis.call("HMGET", gate.used, unpack(useFields))
  gate.born = uses[count + 1]
  local isNew = false
  gate.free = whole
  for index, pool in ipairs(gate.pools) do
    pool.used = tonumber(uses[index] or 0)
    local current = tonumber(currents[index] or pool.min)
    if not currents[index] then
      -- Pools seen for the first time begin at their minimum.
      redis.call("HSET", gate.shares, "c:" .. pool.name, text(pool.min), "g:" .. pool.name, "0")
      isNew = true
    end
    -- Bounds may have changed since the last recomputation.
    pool.current = math.min(pool.max, math.max(pool.min, current))
    gate.free = gate.free - pool.current
  end
  if isNew then
    redis.call("HINCRBY", gate.shares, "v", 1)
    redis.call("PEXPIRE", gate.shares, sharesKeptMs)
  end

  local own = gate.pools[gate.own]
  if own and (own.used + tokens) * whole > gate.limit * own.current then
    local wanted = math.ceil((own.used + tokens) * whole / gate.limit)
    if not (wanted <= own.max) then gate.refusal = "maximum"
    elseif wanted - own.current > gate.free then gate.refusal = "share"
    else gate.grown = wanted end
  end
  local needed = (gate.total + tokens) * whole
  for index, pool in ipairs(gate.pools) do
    if index ~= gate.own then
      needed = needed + math.max(0, gate.limit * pool.min - pool.used * whole)
    end
  end
  gate.isProtected = needed > gate.limit * whole
  return gate
end

local function want(gate, tokens)
  local second = math.floor(now / 1000)
  local key = prefix .. "w:" .. gate.connection .. ":" .. text(math.floor(second / 60))
  local field = text(second) .. ":" .. gate.pools[gate.own].name
  redis.call("HINCRBY", key, field, text(tokens))
  -- Demand is asked for over 300 seconds at most.
  redis.call("PEXPIRE", key, 420000)
  return key, field
end

local function denyPool(gate, tokens)
  local own = gate.pools[gate.own]
  if not own then return end
  redis.call("HINCRBY", gate.denied, own.name, 1)
  keep(gate.denied, gate.ends)
  -- A pool that holds nothing yet can only show this way that it wants a share.
  if gate.refusal then want(gate, tokens) end
end

local function takePool(gate, tokens)
  local own = gate.pools[gate.own]
  if not own then return nil end
  if gate.grown then
    redis.call("HSET", gate.shares, "c:" .. own.name, text(gate.grown), "g:" .. own.name, text(now))
    redis.call("HINCRBY", gate.shares, "v", 1)
    redis.call("PEXPIRE", gate.shares, sharesKeptMs)
  end
  redis.call("HSET", gate.used, "u:" .. own.name, text(own.used + tokens), "g", gate.born or birth)
  if not gate.born then keep(gate.used, gate.ends) end
  local key, field = want(gate, tokens)
  return { gate.used, "u:" .. own.name, gate.born or birth, key, field }
end
`;

/**
 * Arguments: reservation, process, life in ms, requests, tokens, number of meters; for each meter its entry, period,
 * dimension, value, limits (-1 for none); then nothing, or connection, limit, place of the own pool (0 for none), place
 * of the total's meter, number of pools, and for each pool name, min, max.
 *
 * Answers admitted, eight figures for each meter, then for each failing axis its meter's place and axis; behind a zero
 * the gate's refusals: rule, current and used of the own pool, and the present share of every pool.
 */
export const reserveScript = redisScript(`${countersLua}${gateLua}
local requests, tokens, count = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local counters = {}
for index = 1, count do
  local at = 1 + index * 6
  counters[index] = counterOf(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end
local reservation = prefix .. "r:" .. ARGV[1]
local function answer(admitted)
  local reply = { admitted }
  for index = 1, count do putState(reply, counters[index]) end
  return reply
end

local earlier = redis.call("GET", reservation)
if earlier and not cmsgpack.unpack(earlier).late then return answer(1) end

local refused = {}
for index = 1, count do
  local counter, at = counters[index], 1 + index * 6
  local limitRequests, limitTokens = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local before = #refused
  if limitRequests >= 0 and counter.r + requests > limitRequests then
    refused[#refused + 1] = index
    refused[#refused + 1] = 0
  end
  if limitTokens >= 0 and counter.t + tokens > limitTokens then
    refused[#refused + 1] = index
    refused[#refused + 1] = 1
  end
  if #refused > before then deny(counter) end
end
local gate
if ARGV[7 + count * 6] then gate = openGate(7 + count * 6, tokens, counters) end
local isDenied = gate and (gate.refusal or gate.isProtected)

if #refused > 0 or isDenied then
  if isDenied then denyPool(gate, tokens) end
  local reply = answer(0)
  for _, part in ipairs(refused) do reply[#reply + 1] = part end
  if isDenied then
    local own = gate.pools[gate.own]
    reply[#reply + 1] = 0
    reply[#reply + 1] = gate.refusal or ""
    reply[#reply + 1] = gate.isProtected and 1 or 0
    reply[#reply + 1] = own and text(own.used) or 0
    for _, pool in ipairs(gate.pools) do reply[#reply + 1] = pool.current end
  end
  return reply
end

local taken = {}
for index = 1, count do
  local counter = counters[index]
  counter.r, counter.t = counter.r + requests, counter.t + tokens
  counter.R, counter.T = counter.R + requests, counter.T + tokens
  write(counter)
  taken[index] = { counter.key, counter.born, counter.values or false, counter.value or false }
end
local life = tonumber(ARGV[3])
redis.call("SET", reservation, cmsgpack.pack({
  requests = requests, tokens = tokens, process = ARGV[2], counters = taken,
  pool = gate and takePool(gate, tokens) or false
}), "PX", text(life + keptMs))
-- Both indexes outlive every reservation in them.
local indexMs = text(life + 86400000)
redis.call("ZADD", prefix .. "open", text(now + life), ARGV[1])
redis.call("PEXPIRE", prefix .. "open", indexMs)
redis.call("SADD", prefix .. "o:" .. ARGV[2], ARGV[1])
redis.call("PEXPIRE", prefix .. "o:" .. ARGV[2], indexMs)
return answer(1)
`);
