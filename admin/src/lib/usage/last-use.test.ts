import { expect, test } from "vitest";
import { lastUseOf } from "./last-use.ts";

const row = (id: string | null, time: string, legCount: number) => ({
  connectionId: id && { value: id, label: "connectionId", displayName: id },
  time,
  legCount,
});

test("the finest bucket with use tells when something was used last", () => {
  const minutes = [row("a", "2026-11-21 10:02:00", 1), row("a", "2026-11-21 10:04:00", 0)];
  const hours = [
    row("a", "2026-11-21 10:00:00", 1),
    row("b", "2026-11-21 03:00:00", 2),
    row("b", "2026-11-21 07:00:00", 1),
  ];
  const days = [row("c", "2026-10-30", 5), row(null, "2026-11-01", 1)];
  expect([...lastUseOf("connectionId", [minutes, hours, days])]).toEqual([
    ["a", "2026-11-21T10:02:00.000Z"],
    ["b", "2026-11-21T07:00:00.000Z"],
    ["c", "2026-10-30T00:00:00.000Z"],
  ]);
});
