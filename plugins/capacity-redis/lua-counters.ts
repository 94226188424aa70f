/*
 * Keys of one environment, behind `<prefix>:{<environment>}:`, which is KEYS[1] and puts them into one hash slot.
 *
 *   c:<meter>:<start>            hash  r, t used requests and tokens; R, T reserved of them; g the counter's birth
 *   d:<meter>:<start>            string  refusals
 *   v:<entry>:<name>:<start>     sorted set  values of a dimension by use
 *   n:<entry>:<start>            set  names of dimensions
 *   r:<reservation>              string  packed reservation, kept an hour past its expiry
 *   open                         sorted set  open reservations by expiry
 *   o:<process>                  set  its open reservations
 *   long                         set  counters of hour and longer windows
 *   restored                     string  set once copied counters have been added
 *   s:<connection>               hash  v version, c:/g:/m:<pool> share, last growth, last move
 *   p:<connection>:<start>       hash  u:<pool> tokens of the minute, g its birth
 *   q:<connection>:<start>       hash  refusals of pools
 *   w:<connection>:<minute>      hash  <second>:<pool> tokens wanted
 *
 * A meter is `<level>:<subject>:<period>`, which names its entry, and `:<dimension>:<value>`. A birth tells a counter
 * from one that took its place after a reset. Whole numbers are written by `text`: Lua's own form ends at 14 digits.
 */

/** Begins every script: the server's clock in milliseconds, calendar windows, counters. */
export const countersLua = `
local prefix = KEYS[1]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local birth = time[1] .. "." .. time[2]
local keptMs = 3600000
local maxValues = 10000

local function text(number) return string.format("%.0f", number) end

local lengths = { minute = 60000, hour = 3600000, day = 86400000 }
local weekMs, firstMonday = 604800000, 345600000

-- Days from 1970-01-01 to the first of a month, in the proleptic Gregorian calendar.
local function daysTo(year, month)
  if month <= 2 then year = year - 1 end
  local era = math.floor(year / 400)
  local ofEra = year - era * 400
  local ofYear = math.floor((153 * ((month + 9) % 12) + 2) / 5)
  return era * 146097 + ofEra * 365 + math.floor(ofEra / 4) - math.floor(ofEra / 100) + ofYear - 719468
end

local function monthOf(at)
  local days = math.floor(at / 86400000)
  local year = 1970 + math.floor(days / 365.2425)
  if daysTo(year + 1, 1) <= days then year = year + 1 end
  if daysTo(year, 1) > days then year = year - 1 end
  local month = 12
  while daysTo(year, month) > days do month = month - 1 end
  local nextYear, nextMonth = year, month + 1
  if nextMonth == 13 then nextYear, nextMonth = year + 1, 1 end
  return daysTo(year, month) * 86400000, daysTo(nextYear, nextMonth) * 86400000
end

-- Start and end of the window now lies in; the end of a lifetime is 0.
local starts, ends = {}, {}
local function windowOf(period)
  if starts[period] then return starts[period], ends[period] end
  local from, to
  if period == "lifetime" then from, to = 0, 0
  elseif period == "month" then from, to = monthOf(now)
  elseif period == "week" then
    from = math.floor((now - firstMonday) / weekMs) * weekMs + firstMonday
    to = from + weekMs
  else
    from = now - now % lengths[period]
    to = from + lengths[period]
  end
  starts[period], ends[period] = from, to
  return from, to
end

-- The counter of a meter in the present window, as it stands.
local function counterOf(entry, period, name, value)
  local from, to = windowOf(period)
  local counter = { start = from, ends = to, period = period, shared = 0, tracked = true }
  local meter = entry
  if name ~= "" then
    counter.names = prefix .. "n:" .. entry .. ":" .. text(from)
    counter.name = name
    counter.values = prefix .. "v:" .. entry .. ":" .. name .. ":" .. text(from)
    if not redis.call("ZSCORE", counter.values, value) then
      counter.tracked = false
      if redis.call("ZCARD", counter.values) >= maxValues and value ~= "other" then
        value = "other"
        counter.shared = 1
        counter.tracked = redis.call("ZSCORE", counter.values, value) and true or false
      end
    end
    counter.value = value
    meter = entry .. ":" .. name .. ":" .. value
  end
  counter.suffix = meter .. ":" .. text(from)
  counter.key = prefix .. "c:" .. counter.suffix
  local found = redis.call("HMGET", counter.key, "r", "t", "R", "T", "g")
  counter.born = found[5]
  counter.r, counter.t = tonumber(found[1] or 0), tonumber(found[2] or 0)
  counter.R, counter.T = tonumber(found[3] or 0), tonumber(found[4] or 0)
  return counter
end

-- More tokens rank higher, then more requests.
local function rank(key, value, r, t)
  redis.call("ZADD", key, string.format("%.17g", t + r / 1048576), value)
end

local function keep(key, ends)
  if ends > 0 then redis.call("PEXPIREAT", key, text(ends + keptMs)) end
end

-- Writes a counter back, and what a new one needs around it.
local function write(counter)
  local born = counter.born
  redis.call("HSET", counter.key, "r", text(counter.r), "t", text(counter.t),
    "R", text(counter.R), "T", text(counter.T), "g", born or birth)
  if counter.values then
    local isFirst = not counter.tracked and redis.call("EXISTS", counter.values) == 0
    rank(counter.values, counter.value, counter.r, counter.t)
    if isFirst then
      keep(counter.values, counter.ends)
      redis.call("SADD", counter.names, counter.name)
      keep(counter.names, counter.ends)
    end
  end
  if born then return end
  counter.born = birth
  keep(counter.key, counter.ends)
  if counter.period ~= "minute" then redis.call("SADD", prefix .. "long", counter.suffix) end
end

local function deniedOf(counter)
  return tonumber(redis.call("GET", prefix .. "d:" .. counter.suffix) or 0)
end

-- Values a stranger makes up leave no key behind when they are refused.
local function deny(counter)
  if not counter.tracked then return end
  local key = prefix .. "d:" .. counter.suffix
  if redis.call("INCR", key) == 1 then keep(key, counter.ends) end
end

-- Amounts go out as text: the client reads numbers near 2^53 inexactly.
local function putState(reply, counter)
  local at = #reply
  reply[at + 1], reply[at + 2] = text(counter.r), text(counter.t)
  reply[at + 3], reply[at + 4] = text(counter.R), text(counter.T)
  reply[at + 5], reply[at + 6] = deniedOf(counter), counter.start
  reply[at + 7], reply[at + 8] = counter.ends, counter.shared
end
`;
