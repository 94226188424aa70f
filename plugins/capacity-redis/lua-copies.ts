import { redisScript } from "@vmx/shared-state-redis/connection";
import { countersLua } from "./lua-counters.ts";

/** Arguments for each meter: entry, period, dimension, value. Answers eight figures for each. */
export const readScript = redisScript(`${countersLua}
local reply = {}
for at = 1, #ARGV, 4 do
  putState(reply, counterOf(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]))
end
return reply
`);

/** Arguments: entry, period, dimension, count. Answers for each value its name and eight figures. */
export const topScript = redisScript(`${countersLua}
local start = windowOf(ARGV[2])
local values = prefix .. "v:" .. ARGV[1] .. ":" .. ARGV[3] .. ":" .. text(start)
local reply = {}
for _, value in ipairs(redis.call("ZREVRANGE", values, 0, ARGV[4] - 1)) do
  reply[#reply + 1] = value
  putState(reply, counterOf(ARGV[1], ARGV[2], ARGV[3], value))
end
return reply
`);

/** Arguments for each counter: entry, period, dimension, value, start, requests, tokens. */
export const addScript = redisScript(`${countersLua}
for at = 1, #ARGV, 7 do
  if windowOf(ARGV[at + 1]) == tonumber(ARGV[at + 4]) then
    local counter = counterOf(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
    counter.r, counter.t = counter.r + tonumber(ARGV[at + 5]), counter.t + tonumber(ARGV[at + 6])
    write(counter)
  end
end
return 0
`);

/** Answers 1 for the first caller since the store was empty. */
export const claimRestoreScript = redisScript(`
return redis.call("SETNX", KEYS[1] .. "restored", 1)
`);

/**
 * Argument: a cursor, "0" at first. Answers the next cursor and for each counter its name, requests and tokens; nil
 * when nothing has been restored. Steps are small, since the server does nothing else meanwhile.
 */
export const dumpScript = redisScript(`${countersLua}
if redis.call("EXISTS", prefix .. "restored") == 0 then return false end
local page = redis.call("SSCAN", prefix .. "long", ARGV[1], "COUNT", 200)
local reply = { page[1] }
for _, suffix in ipairs(page[2]) do
  local found = redis.call("HMGET", prefix .. "c:" .. suffix, "r", "t")
  if not found[1] then redis.call("SREM", prefix .. "long", suffix)
  else
    local period = string.match(suffix, "^[^:]+:[^:]+:([a-z]+):")
    if string.match(suffix, "[0-9]+$") == text(windowOf(period)) then
      reply[#reply + 1] = suffix
      reply[#reply + 1] = found[1]
      reply[#reply + 1] = found[2]
    end
  end
end
return reply
`);

/** Arguments: entry, period, and the connection whose pools' use is forgotten, or nothing. */
export const resetScript = redisScript(`${countersLua}
local start = text(windowOf(ARGV[2]))
local function forget(suffix)
  redis.call("DEL", prefix .. "c:" .. suffix, prefix .. "d:" .. suffix)
  redis.call("SREM", prefix .. "long", suffix)
end
forget(ARGV[1] .. ":" .. start)
local names = prefix .. "n:" .. ARGV[1] .. ":" .. start
for _, name in ipairs(redis.call("SMEMBERS", names)) do
  local values = prefix .. "v:" .. ARGV[1] .. ":" .. name .. ":" .. start
  for _, value in ipairs(redis.call("ZRANGE", values, 0, -1)) do
    forget(ARGV[1] .. ":" .. name .. ":" .. value .. ":" .. start)
  end
  redis.call("DEL", values)
end
redis.call("DEL", names)
if ARGV[3] then redis.call("DEL", prefix .. "p:" .. ARGV[3] .. ":" .. start) end
return 0
`);
