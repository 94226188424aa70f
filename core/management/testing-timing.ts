import { randomUUID } from "node:crypto";
import { createTokenValue } from "../access/token-format.ts";
import { change } from "../store/change.ts";
import { PersonalAccessToken } from "../store/entities/index.ts";
import { createPerson } from "./testing-people.ts";
import type { Answer, TestManagement } from "./testing.ts";

/** Two calls that nobody may tell apart, by their answer or by the time it takes. */
export interface Twins {
  readonly name: string;
  readonly status: number;
  readonly one: () => Promise<Answer>;
  readonly other: () => Promise<Answer>;
}

/** What is absent, and what is not to be seen. */
export async function createTwins(plane: TestManagement): Promise<readonly Twins[]> {
  const login = (username: string) => () => {
    // So much later that no failure before counts.
    plane.clock.offsetMs += 16 * 60_000;
    return plane.send("POST", "/api/v1/auth/login", { username, password: "not the password" });
  };

  const elsewhere = (await plane.call("POST", "/api/v1/workspaces", { name: "elsewhere" })).body;
  const stranger = await createPerson(plane, {
    memberships: { [elsewhere.workspaceId]: "OWNER" },
  });
  const read = (path: string) => () => stranger.call("GET", path);
  const made = await plane.call("POST", `${plane.environmentPath}/ai-connections`, {
    name: "hidden",
    provider: "echo",
  });
  const { connectionId } = made.body;
  const keys = (await plane.call("GET", `${plane.environmentPath}/api-keys`)).body.data;
  const absentEnvironment = `/api/v1/workspaces/${randomUUID()}/environments/${randomUUID()}`;

  const gone = await createPerson(plane);
  await change(plane.database, { userId: null, via: "api" }, async ({ em }) => {
    em.remove(await em.findOneOrFail(PersonalAccessToken, gone.tokenId));
  });
  await plane.loader.refresh();
  const show = (token: string) => () =>
    plane.send("GET", "/api/v1/me", undefined, { authorization: `Bearer ${token}` });

  return [
    {
      name: "a login of nobody and one of somebody",
      status: 401,
      one: login("nobody"),
      other: login("admin"),
    },
    {
      name: "a connection of another workspace and none",
      status: 404,
      one: read(`${plane.environmentPath}/ai-connections/${connectionId}`),
      other: read(`${absentEnvironment}/ai-connections/${randomUUID()}`),
    },
    {
      name: "an API key of another workspace and none",
      status: 404,
      one: read(`${plane.environmentPath}/api-keys/${keys[0].apiKeyId}`),
      other: read(`${absentEnvironment}/api-keys/${randomUUID()}`),
    },
    {
      name: "a list of another workspace and of none",
      status: 404,
      one: read(`${plane.environmentPath}/ai-resources`),
      other: read(`${absentEnvironment}/ai-resources`),
    },
    {
      name: "a deleted token and one never made",
      status: 401,
      one: show(gone.token),
      other: show(createTokenValue().value),
    },
  ];
}

/** An answer without what each call has of its own. */
export function toldBy({ status, headers, text }: Answer): string {
  const own = new Set(["date", "x-request-id", "x-vmx-request-id"]);
  const kept = [...headers].filter(([name]) => !own.has(name));
  const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
  return JSON.stringify([status, kept, text.replace(uuid, "id")]);
}

/**
 * How much longer the slower of two takes, as the ratio of the medians. They are asked in turns, so that
 * whatever else the machine does meets both. The best of three rounds: a real difference is there in every
 * round.
 */
export async function slowness({ one, other }: Twins, samples: number): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    const times: [number[], number[]] = [[], []];
    for (let sample = 0; sample < 2 * samples; sample++) {
      // Each is first as often as second.
      const at = (sample + (sample >> 1)) % 2;
      const began = performance.now();
      await (at === 0 ? one : other)();
      times[at]!.push(performance.now() - began);
    }
    const [a, b] = times.map(median) as [number, number];
    best = Math.min(best, Math.max(a, b) / Math.min(a, b));
  }
  return best;
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!;
}
