import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dialect, JsonObject, Part } from "../contract/index.ts";
import { appendMember, createSseReader } from "../kit/index.ts";
import {
  asRequest,
  callerDialects,
  type CallerRequest,
  chatPath,
  embeddingsRequest,
  leastRequest,
  readAnswer,
} from "./callers.ts";
import {
  alsoBroken,
  isBroken,
  type KnownDifference,
  knownDifferences,
  listedNames,
  silent,
} from "./known-differences.ts";
import { differences, type Meaning, type MeaningMember, meaningOf } from "./meaning.ts";
import {
  hasRecordings,
  readRecordings,
  recordedFolders,
  type Recording,
  recordingsRoot,
} from "./recordings.ts";
import { createReport } from "./report.ts";
import { requestMeaning } from "./request-meaning.ts";
import { type Service, services } from "./services.ts";
import { decodeRecording, openStage, recordedCall, type Setting, type Stage } from "./stage.ts";

/*
 * Every recorded exchange, replayed through the gateway over HTTP: callers of the recording's own dialect get the
 * bytes, callers of every other dialect get the meaning.
 */

let stage: Stage;
const report = createReport();
const used = new Set<KnownDifference>();
const met = new Set<string>();

beforeAll(async () => {
  stage = await openStage();
});

afterAll(async () => {
  await stage.close();
  if (hasRecordings) console.log(report.toString());
});

if (!hasRecordings) {
  const reason = `no recordings at ${recordingsRoot}; set VMX_FIXTURES to their folder`;
  test.skipIf(process.env["CI"] !== "true")(`the recordings are there (skipped: ${reason})`, () => {
    expect.fail(reason);
  });
}

for (const service of hasRecordings ? services : []) {
  const callers = service.operation === "chat" ? callerDialects : [service.caller ?? "openai-chat"];
  for (const recording of readRecordings(service.folder)) {
    for (const caller of callers) {
      test(`${recording.name} for ${caller} callers`, async () => {
        try {
          const listed = await replayCase(service, recording, caller);
          report.note(service.folder, caller, listed ? "listed" : "passed", listed);
        } catch (error) {
          report.note(service.folder, caller, "failed", recording.name);
          throw error;
        }
      });
    }
  }
}

test.runIf(hasRecordings)("every folder of the corpus is replayed", () => {
  expect(services.map(({ folder }) => folder).sort()).toEqual(recordedFolders().sort());
});

test.runIf(hasRecordings)("every known difference and every listed recording is met", () => {
  const unmet = knownDifferences.filter((difference) => !used.has(difference));
  expect(unmet.map(({ reason }) => reason)).toEqual([]);
  expect(listedNames.filter((name) => !met.has(name))).toEqual([]);
});

/** Replays one recording for callers of one dialect; answers the reason when it can only be told otherwise. */
async function replayCase(
  service: Service,
  recording: Recording,
  callerId: string,
): Promise<string | undefined> {
  met.add(recording.name);
  const setting = await stage.prepare(service, recording, callerId);
  if (service.operation === "models") return modelsCase(setting);
  if (service.operation === "embeddings") return embeddingsCase(setting);
  if (recording.status >= 400) return errorCase(setting, leastRequest(callerId, recording));
  if (isBroken(recording)) return brokenCase(setting);
  const parts = decodeRecording(setting);
  return setting.recorded.id === callerId
    ? passThroughCase(setting)
    : translatedCase(service.folder, setting, meaningOf(parts));
}

async function passThroughCase(setting: Setting): Promise<string | undefined> {
  const { recording, caller, replay } = setting;
  const { model, stream } = recording;
  const sent = recording.request === undefined
    ? JSON.stringify(leastRequest(caller.id, recording).body)
    : withNeeded(recording.request, model, stream);
  const query = /\?.*$/.exec(recording.path)?.[0] ?? "";
  const answer = await stage.ask(
    { path: chatPath(caller.id) + query, body: sent },
    recording.requestHeaders,
  );
  expect(answer.status, answer.text.slice(0, 500)).toBe(recording.status);
  const received = stage.received();
  const asked = caller.inbound.usageRequest(JSON.parse(sent) as JsonObject, "chat");
  if (asked.merge && !asked.callerAsked) {
    const body = JSON.parse(sent) as JsonObject;
    expect(JSON.parse(received.body)).toEqual({
      ...body,
      stream_options: { ...body["stream_options"] as JsonObject, include_usage: true },
    });
  } else expect(received.body).toBe(sent);
  for (const [name, value] of Object.entries(recording.requestHeaders)) {
    expect(received.headers[name]).toBe(value);
  }
  expect(received.url.endsWith(caller.requestPath({ operation: "chat", model, stream }) + query))
    .toBe(true);
  if (stream) {
    const whole = asked.callerAsked || !asked.merge
      ? Buffer.from(replay.body)
      : withoutUsage(Buffer.from(replay.body));
    expect(answer.bytes.equals(whole), "the stream's bytes differ").toBe(true);
    return undefined;
  }
  const { vmx } = JSON.parse(answer.text) as { vmx: JsonObject };
  expect(vmx["warnings"]).toEqual([]);
  const body = Buffer.from(replay.body).toString();
  expect(answer.text).toBe(appendMember(body, "vmx", JSON.stringify(vmx)));
  return undefined;
}

/** The recorded text with the members the gateway needs and the recorded path said. */
function withNeeded(text: string, model: string, stream: boolean): string {
  const body = JSON.parse(text) as JsonObject;
  if (typeof body["model"] !== "string") {
    text = appendMember(text, "model", JSON.stringify(model));
  }
  return stream && body["stream"] !== true ? appendMember(text, "stream", "true") : text;
}

/** A stream without the trailing frame of usage alone, which the caller did not ask for. */
function withoutUsage(body: Buffer): Buffer {
  const frames = body.toString().split(/(?<=\n\n)/);
  return Buffer.from(
    frames.filter((frame) => !/"choices":\s*\[\]/.test(frame) || !/"usage":\s*\{/.test(frame))
      .join(""),
  );
}

async function translatedCase(
  service: string,
  setting: Setting,
  expected: Meaning,
): Promise<string | undefined> {
  const { recording, caller, family } = setting;
  const { stream } = recording;
  const request = asRequest(recordedCall(setting), caller, recording, family);
  const answer = await stage.ask(request);
  expect(answer.status, answer.text.slice(0, 500)).toBe(200);
  const warned = answer.headers.get("x-vmx-warnings");
  if (!request.minimal) report.noteWhole(service, caller.id);
  if (!request.minimal && warned === null) expectSameRequest(setting, request.body);
  const actual = meaningOf(readAnswer(caller, answer.text, stream));
  expectContent(recording, expected);
  const members = differences(expected, actual);
  if (members.length === 0) return undefined;
  const known = knownDifferences.filter((difference) =>
    difference.callers.includes(caller.id) &&
    difference.members.some((member) => members.includes(member)) &&
    difference.applies(expected, actual, recording)
  );
  const explained = new Set(known.flatMap((difference) => difference.members));
  const unexplained = members.filter((member) => !explained.has(member));
  expect(pick(actual, unexplained)).toEqual(pick(expected, unexplained));
  for (const difference of known) used.add(difference);
  return known.map(({ reason }) => reason).join("; ");
}

/** Nothing of meaning is lost on the way to the provider where no warning says so. */
function expectSameRequest({ recorded, recording, caller }: Setting, sent: JsonObject): void {
  const arrived = JSON.parse(stage.received().body) as JsonObject;
  const read = (dialect: Dialect, body: JsonObject) =>
    requestMeaning(dialect.decodeRequest(body, "chat").value);
  expect(read(recorded, { model: recording.model, ...arrived })).toEqual(read(caller, sent));
}

/** An answer that says nothing compares equal to anything that says nothing, so each must be known. */
function expectContent({ name }: Recording, { text, reasoning, refusal, tools, finish }: Meaning) {
  const says = text !== "" || reasoning !== "" || refusal !== "" || tools.length > 0;
  const cut = finish === "length" || finish === "declined";
  expect(!says && !cut, "the recorded answer says nothing").toBe(name in silent);
}

function pick(meaning: Meaning, members: readonly MeaningMember[]): Partial<Meaning> {
  return Object.fromEntries(members.map((member) => [member, meaning[member]]));
}

/** A broken answer is an error, or a stream that ends with one: never an answer that looks whole. */
async function brokenCase(setting: Setting): Promise<string | undefined> {
  const { recording, caller } = setting;
  const answer = await stage.ask(leastRequest(caller.id, recording));
  const reason = alsoBroken[recording.name];
  if (answer.status !== 200) {
    expect(caller.decodeError(answer.status, answer.text).recognised).toBe(true);
    return reason;
  }
  expect(recording.stream).toBe(true);
  const reader = createSseReader();
  const frames = [...reader.push(answer.bytes), ...reader.end()];
  const last = JSON.parse(frames.at(-1)!.data) as JsonObject;
  expect(last["error"] !== undefined || last["type"] === "error", frames.at(-1)!.data).toBe(true);
  return reason;
}

async function errorCase(setting: Setting, request: CallerRequest): Promise<undefined> {
  const { recording, recorded, caller, replay, provider } = setting;
  const { status } = recording;
  const answer = await stage.ask(request);
  const text = Buffer.from(replay.body).toString();
  const wire = recorded.decodeError(status, text);
  // One operation answers in its dialect but errs in its service's own.
  const foreign = recording.bodyKind === "txt" || recording.name.startsWith("bedrock-invoke/");
  expect(wire.recognised, text).toBe(!foreign);
  const verdict = provider.classify?.({
    status,
    headers: replay.headers as Readonly<Record<string, string>>,
    message: wire.message,
    code: wire.code ?? null,
    type: wire.type ?? null,
  });
  const refused = status === 401 || status === 403 ||
    verdict?.reason === "Provider rejected the credential";
  expect(answer.status).toBe(refused ? 502 : status);
  const told = caller.decodeError(answer.status, answer.text);
  expect(told.recognised, answer.text).toBe(true);
  if (refused) {
    expect(told.code).toBe("upstream_authentication_error");
    return;
  }
  if (recorded.id === caller.id && wire.recognised) {
    expect(answer.text).toBe(text);
    return;
  }
  expect(told.code).toBe(wire.code || wire.type || "upstream_error");
  if (wire.recognised) expect(told.message).toBe(wire.message);
}

async function embeddingsCase(setting: Setting): Promise<string | undefined> {
  const { recording, recorded, caller } = setting;
  const request = embeddingsRequest(recordedCall(setting, "embeddings"), recording);
  if (recording.status >= 400) return errorCase(setting, request);
  const answer = await stage.ask(request);
  expect(answer.status, answer.text.slice(0, 500)).toBe(200);
  const body = JSON.parse(recording.body.toString()) as JsonObject;
  const expected = recorded.decodeResponse(body, "embeddings").value;
  const told = caller.decodeResponse(JSON.parse(answer.text) as JsonObject, "embeddings").value;
  const vectors = (parts: readonly Part[]) =>
    parts.flatMap((part) => part.type === "embedding" ? [part.vector] : []);
  expect(vectors(expected).length).toBeGreaterThan(0);
  expect(vectors(told)).toEqual(vectors(expected));
  expect(meaningOf(told).input ?? 0).toBe(meaningOf(expected).input ?? 0);
  return undefined;
}

async function modelsCase({ recording, provider, connection }: Setting): Promise<undefined> {
  const { data } = JSON.parse(recording.body.toString()) as { data: readonly { id: string }[] };
  const ids = await provider.listModels!(connection, AbortSignal.timeout(5_000));
  expect([...ids].sort()).toEqual(data.map(({ id }) => id).sort());
}
