import process from "node:process";
import { calendarWindow } from "@vmx/core/kit";
import { redisScript } from "@vmx/shared-state-redis/connection";
import { afterAll, expect, test } from "vitest";
import { countersLua } from "./lua-counters.ts";
import { openStore } from "./testing.ts";

const { store, connection } = await openStore(process.env["VMX_TEST_REDIS_URL"]!);
afterAll(() => store.close());

const periods = ["minute", "hour", "day", "week", "month"] as const;
const asIfAt = redisScript(
  `${countersLua.replace('redis.call("TIME")', '{ ARGV[1], "0" }')}
  local reply = {}
  for index = 2, #ARGV do
    local from, to = windowOf(ARGV[index])
    reply[#reply + 1] = from
    reply[#reply + 1] = to
  end
  return reply`,
);

test("the server's calendar is everybody's", async () => {
  const dayMs = 86_400_000;
  // Every day of eight years with a leap year among them, and centuries that are none.
  const days = Array.from({ length: 8 * 366 }, (_, day) => Date.UTC(2026, 0, 1) + day * dayMs);
  const odd = ["2000-02-29", "2099-12-31", "2100-02-28", "2100-03-01", "2400-02-29"]
    .map((day) => Date.parse(day));
  const moments = [...days, ...odd].flatMap((at) => [at, at + dayMs - 1_000]);
  await Promise.all(moments.map(async (at) => {
    const expected = periods.flatMap((period) => {
      const { start, end } = calendarWindow(period, at);
      return [start, end];
    });
    const windows = await connection.run(asIfAt, "calendar", [at / 1000, ...periods]);
    expect(windows, new Date(at).toISOString()).toEqual(expected);
  }));
});
