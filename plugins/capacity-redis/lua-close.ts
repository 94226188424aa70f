import { redisScript } from "@vmx/shared-state-redis/connection";
import { countersLua } from "./lua-counters.ts";

const chargeLua = `
-- Puts what was used in place of what was reserved, where the counters are still those of the reservation.
local function charge(reservation, requests, tokens)
  local reservedRequests, reservedTokens = reservation.requests, reservation.tokens
  -- Its expiry has given everything back already.
  if reservation.late then reservedRequests, reservedTokens = 0, 0 end
  for _, taken in ipairs(reservation.counters) do
    local found = redis.call("HMGET", taken[1], "r", "t", "R", "T", "g")
    if found[5] == taken[2] then
      local r = math.max(0, tonumber(found[1]) + requests - reservedRequests)
      local t = math.max(0, tonumber(found[2]) + tokens - reservedTokens)
      redis.call("HSET", taken[1], "r", text(r), "t", text(t),
        "R", text(tonumber(found[3]) - reservedRequests), "T", text(tonumber(found[4]) - reservedTokens))
      if taken[3] and redis.call("ZSCORE", taken[3], taken[4]) then rank(taken[3], taken[4], r, t) end
    end
  end
  local pool = reservation.pool
  if not pool then return end
  local difference = tokens - reservedTokens
  local used = redis.call("HMGET", pool[1], pool[2], "g")
  if used[1] and used[2] == pool[3] then
    redis.call("HSET", pool[1], pool[2], text(math.max(0, tonumber(used[1]) + difference)))
  end
  local wanted = redis.call("HGET", pool[4], pool[5])
  if wanted then
    redis.call("HSET", pool[4], pool[5], text(math.max(0, tonumber(wanted) + difference)))
  end
end

local function unlist(id, process)
  redis.call("ZREM", prefix .. "open", id)
  redis.call("SREM", prefix .. "o:" .. process, id)
end
`;

/** Arguments: reservation, requests, tokens. Answers 1 if it took effect. */
export const settleScript = redisScript(`${countersLua}${chargeLua}
local key = prefix .. "r:" .. ARGV[1]
local packed = redis.call("GET", key)
if not packed then return 0 end
local reservation = cmsgpack.unpack(packed)
redis.call("DEL", key)
unlist(ARGV[1], reservation.process)
charge(reservation, tonumber(ARGV[2]), tonumber(ARGV[3]))
return 1
`);

/** Arguments: how many reservations at most, dead processes. Answers how many it looked at and how many it released. */
export const expireScript = redisScript(`${countersLua}${chargeLua}
local most = tonumber(ARGV[1])
local ids = redis.call("ZRANGEBYSCORE", prefix .. "open", "-inf", text(now), "LIMIT", 0, most)
for index = 2, #ARGV do
  if #ids >= most then break end
  for _, id in ipairs(redis.call("SPOP", prefix .. "o:" .. ARGV[index], most - #ids)) do
    ids[#ids + 1] = id
  end
end
local released = 0
for _, id in ipairs(ids) do
  local key = prefix .. "r:" .. id
  local packed = redis.call("GET", key)
  redis.call("ZREM", prefix .. "open", id)
  if packed then
    local reservation = cmsgpack.unpack(packed)
    unlist(id, reservation.process)
    if not reservation.late then
      charge(reservation, 0, 0)
      reservation.late = true
      redis.call("SET", key, cmsgpack.pack(reservation), "PX", text(keptMs))
      released = released + 1
    end
  end
end
return { #ids, released }
`);
