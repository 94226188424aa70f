import { redisScript } from "@vmx/shared-state-redis/connection";
import { countersLua } from "./lua-counters.ts";

/**
 * Arguments: connection, its meter's entry, window in seconds. Answers now, the connection's tokens, and three lists of
 * names and values: fields of the shares, tokens used, refusals, demand.
 */
export const readPoolsScript = redisScript(`${countersLua}
local start = text(windowOf("minute"))
local second, seconds = math.floor(now / 1000), tonumber(ARGV[3])
local sums = {}
for minute = math.floor((second - seconds + 1) / 60), math.floor(second / 60) do
  local fields = redis.call("HGETALL", prefix .. "w:" .. ARGV[1] .. ":" .. text(minute))
  for at = 1, #fields, 2 do
    local from, name = string.match(fields[at], "^(%d+):(.*)$")
    if second - from < seconds then sums[name] = (sums[name] or 0) + fields[at + 1] end
  end
end
local demand = {}
for name, sum in pairs(sums) do
  demand[#demand + 1] = name
  demand[#demand + 1] = text(sum)
end
return {
  now, text(counterOf(ARGV[2], "minute", "", "").t),
  redis.call("HGETALL", prefix .. "s:" .. ARGV[1]),
  redis.call("HGETALL", prefix .. "p:" .. ARGV[1] .. ":" .. start),
  redis.call("HGETALL", prefix .. "q:" .. ARGV[1] .. ":" .. start),
  demand
}
`);

/** Arguments: connection, version, and for each pool name, share, last growth, last move. Answers 1 if stored. */
export const casSharesScript = redisScript(`
local key = KEYS[1] .. "s:" .. ARGV[1]
local version = redis.call("HGET", key, "v") or "0"
if version ~= ARGV[2] then return 0 end
redis.call("DEL", key)
redis.call("HSET", key, "v", string.format("%.0f", version + 1))
for at = 3, #ARGV, 4 do
  local name = ARGV[at]
  redis.call("HSET", key, "c:" .. name, ARGV[at + 1], "g:" .. name, ARGV[at + 2])
  if ARGV[at + 3] ~= "" then redis.call("HSET", key, "m:" .. name, ARGV[at + 3]) end
end
redis.call("PEXPIRE", key, 604800000)
return 1
`);
