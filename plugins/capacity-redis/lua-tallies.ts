import { redisScript } from "@vmx/shared-state-redis/connection";

const minuteLua = `
local minute = math.floor(redis.call("TIME")[1] / 60)
local function keyOf(at) return KEYS[1] .. "t:" .. ARGV[1] .. ":" .. string.format("%.0f", at) end
`;

/** Arguments: name, then classes and counts. */
export const tallyScript = redisScript(`${minuteLua}
for at = 2, #ARGV, 2 do redis.call("HINCRBY", keyOf(minute), ARGV[at], ARGV[at + 1]) end
redis.call("PEXPIRE", keyOf(minute), 181 * 60000)
return 0
`);

/** Arguments: name, minutes. Answers classes and sums. */
export const readTallyScript = redisScript(`${minuteLua}
local sums, reply = {}, {}
for back = 0, ARGV[2] - 1 do
  local fields = redis.call("HGETALL", keyOf(minute - back))
  for at = 1, #fields, 2 do sums[fields[at]] = (sums[fields[at]] or 0) + fields[at + 1] end
end
for class, sum in pairs(sums) do
  reply[#reply + 1] = class
  reply[#reply + 1] = string.format("%.0f", sum)
end
return reply
`);
