import fc from "fast-check";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
  writevSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRequestId } from "../../gateway/request-id.ts";
import { silentLog } from "../../store/testing.ts";
import { adoptSpoolFolders } from "./folder.ts";
import { createFileHeader, fileHeaderBytes, readMark, scanEntries, writeEntry } from "./segment.ts";
import { createSpool, type Disk, type Spool, type SpoolOptions } from "./spool.ts";

let root: string;
const spools: Spool[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "vmx-spool-"));
});
afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.close();
  rmSync(root, { recursive: true, force: true });
});

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

function open(options: Partial<SpoolOptions> = {}): Spool {
  const spool = createSpool({
    root,
    maxBytes: 16 * 1024 * 1024,
    whenFull: "serve",
    log: silentLog,
    clock,
    ...options,
  });
  spools.push(spool);
  return spool;
}

async function drain(spool: Spool): Promise<{ id: string; row: string; payload?: string }[]> {
  const found: { id: string; row: string; payload?: string }[] = [];
  for (;;) {
    const batch = await spool.read(100);
    if (!batch) return found;
    for (const entry of batch.entries) {
      if (entry.kind !== "finished") continue;
      const payload = await batch.payload(entry);
      found.push({
        id: entry.requestId,
        row: entry.row.toString(),
        ...(payload ? { payload: payload.toString() } : {}),
      });
    }
    spool.advance(batch);
  }
}

test("a note of a beginning is with the system when its promise resolves", async () => {
  const spool = open();
  const id = createRequestId();
  await spool.start(id, '{"began":true}');
  const [file] = readdirSync(spool.path).filter((name) => name.endsWith(".rows"));
  expect(readFileSync(join(spool.path, file!), "utf8")).toContain('{"began":true}');
});

test("a note of an end is with the system when its promise resolves, and waits for nothing else", async () => {
  const spool = open();
  const id = createRequestId();
  expect(spool.written()).toBeUndefined();
  spool.finish(id, '{"ended":true}', []);
  const [file] = readdirSync(spool.path).filter((name) => name.endsWith(".rows"));
  const text = () => readFileSync(join(spool.path, file!), "utf8");
  expect(text()).not.toContain('{"ended":true}');
  await spool.written();
  expect(text()).toContain('{"ended":true}');
  expect(spool.written()).toBeUndefined();
});

test("what many requests append in one turn is written with one call", async () => {
  let writes = 0;
  const disk: Disk = {
    write: (...given) => {
      writes++;
      return writeSync(...given);
    },
    writev: writevSync,
    sync: () => Promise.resolve(),
  };
  const spool = open({ disk });
  const ids = Array.from({ length: 100 }, () => createRequestId());
  await Promise.all(ids.map((id) => spool.start(id, "{}")));
  expect(writes).toBe(1);
  for (const id of ids) spool.finish(id, "{}", []);
  await spool.written();
  expect(writes).toBe(2);
});

test("a slow disk is asked to sync once at a time, and once more for what came meanwhile", async () => {
  let asked = 0;
  const under: PromiseWithResolvers<void>[] = [];
  const disk: Disk = {
    write: writeSync,
    writev: writevSync,
    sync() {
      asked++;
      const one = Promise.withResolvers<void>();
      under.push(one);
      return one.promise;
    },
  };
  const spool = open({ disk });
  const writeAgain = async () => {
    spool.finish(createRequestId(), "{}", []);
    await spool.written();
  };
  await writeAgain();
  await expect.poll(() => asked).toBe(1);
  for (let round = 0; round < 20; round++) {
    await writeAgain();
    await delay(10);
  }
  expect(asked).toBe(1);
  under[0]!.resolve();
  await expect.poll(() => asked).toBe(2);
  under[1]!.resolve();
  await delay(150);
  expect(asked).toBe(2);
});

test("rows come back in order with their payloads, over as many segments as they take", async () => {
  const spool = open({ maxBytes: 1024 * 1024 });
  const ids = Array.from({ length: 300 }, () => createRequestId());
  for (const [index, id] of ids.entries()) {
    await spool.start(id, "{}");
    spool.finish(id, JSON.stringify({ index }), [Buffer.from("pay"), Buffer.from(`load ${index}`)]);
    if (index % 20 === 0) spool.flush();
  }
  for (const filler of ids.slice(0, 5)) spool.finish(filler, `"${"x".repeat(30_000)}"`, []);
  spool.flush();
  const found = (await drain(spool)).slice(0, 300);
  expect(found.map(({ id }) => id)).toEqual(ids);
  expect(found[299]).toMatchObject({ row: '{"index":299}', payload: "payload 299" });
  expect(spool.state()).toMatchObject({ lost: 0, oldestAt: undefined });
});

test("segments that are shipped go, and requests that still run keep their note", async () => {
  const spool = open({ maxBytes: 1024 * 1024 });
  const running = createRequestId();
  await spool.start(running, '{"still":"running"}');
  for (let round = 0; round < 40; round++) {
    spool.finish(createRequestId(), `"${"x".repeat(10_000)}"`, []);
    spool.flush();
  }
  await drain(spool);
  const files = readdirSync(spool.path).filter((name) => name.endsWith(".rows"));
  expect(files.length).toBeLessThanOrEqual(2);
  expect(files.map((name) => readFileSync(join(spool.path, name), "utf8")).join("")).toContain(
    '{"still":"running"}',
  );
});

test("a disk that refuses loses nothing: rows wait in memory, are shipped from there, or written later", async () => {
  let full = false;
  const disk: Disk = {
    write(file, bytes, from, length, position) {
      if (!full) return writeSync(file, bytes, from, length, position);
      writeSync(file, bytes, from, Math.min(length, 10), position);
      throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    },
    writev(file, buffers, position) {
      if (full) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      return writevSync(file, buffers, position);
    },
    sync: () => Promise.resolve(),
  };
  const spool = open({ disk });
  spool.finish("a".repeat(36), '"before"', []);
  spool.flush();
  full = true;
  spool.finish("b".repeat(36), '"in memory, shipped"', [Buffer.from("payload")]);
  await spool.start("c".repeat(36), "{}");
  expect(spool.state()).toMatchObject({ writable: false, lost: 0 });
  expect(spool.takesPayloads()).toBe(false);
  expect((await drain(spool)).map(({ row }) => row)).toEqual(['"before"', '"in memory, shipped"']);
  spool.finish("d".repeat(36), '"in memory, written"', []);
  full = false;
  spool.flush();
  expect(spool.state()).toMatchObject({ writable: true });
  expect((await drain(spool)).map(({ row }) => row)).toEqual(['"in memory, written"']);
});

test("a full spool gives up payloads first, then rows or requests, as it is told", async () => {
  for (const whenFull of ["serve", "refuse"] as const) {
    const spool = open({ maxBytes: 1024 * 1024, whenFull });
    let rows = 0;
    let sawHigh = false;
    for (; rows < 2_000 && spool.mayStart() && spool.state().lost === 0; rows++) {
      const id = createRequestId();
      await spool.start(id, "{}");
      const payload = spool.takesPayloads() ? [Buffer.alloc(4_000, 1)] : [];
      sawHigh ||= !spool.takesPayloads();
      spool.finish(id, `"${"r".repeat(2_000)}"`, payload);
    }
    spool.flush();
    expect(sawHigh).toBe(true);
    // All payloads that went made room for rows.
    expect(rows).toBeGreaterThan(300);
    expect(spool.state().pressure).toBe("full");
    expect(spool.state().bytes).toBeLessThan(1.2 * 1024 * 1024);
    expect(spool.mayStart()).toBe(whenFull === "serve");
    const found = await drain(spool);
    expect(found.length).toBe(whenFull === "serve" ? rows - spool.state().lost : rows);
    expect(spool.state()).toMatchObject({ pressure: "none" });
    expect(spool.mayStart()).toBe(true);
  }
});

test("a disk that stays full has rows held in memory up to 64 MiB, and then the policy decides", async () => {
  const refuse = () => {
    throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
  };
  for (const whenFull of ["serve", "refuse"] as const) {
    const options = {
      maxBytes: 2 ** 30,
      whenFull,
      disk: { write: refuse, writev: refuse, sync: refuse },
    };
    const spool = open(options);
    const row = `"${"r".repeat(500_000)}"`;
    let taken = 0;
    while (taken < 300 && spool.mayStart() && spool.finish(createRequestId(), row, [])) taken++;
    expect(taken * 500_000 / 2 ** 20).toBeGreaterThan(60);
    expect(spool.state().bytes / 2 ** 20).toBeLessThan(66);
    expect(spool.state()).toMatchObject({
      pressure: "full",
      writable: false,
      lost: whenFull === "serve" ? 1 : 0,
    });
    expect(spool.mayStart()).toBe(whenFull === "serve");
    // What is in memory is shipped all the same, and makes room.
    expect(await drain(spool)).toHaveLength(taken);
    expect(spool.mayStart()).toBe(true);
  }
});

test("a folder is adopted when its owner is gone, and only then", async () => {
  const spool = open();
  spool.finish(createRequestId(), "{}", []);
  expect(adoptSpoolFolders(root)).toEqual([]);
  expect(await spool.close()).toBe(false);
  const [folder] = adoptSpoolFolders(root);
  expect(folder!.path).toBe(spool.path);
  expect(adoptSpoolFolders(root)).toEqual([]);
  folder!.release();
  // An owner on another machine is judged by its silence.
  writeFileSync(join(spool.path, "realm"), "elsewhere");
  writeFileSync(join(spool.path, "owner.lock"), '{"pid":1,"identity":"x"}');
  expect(adoptSpoolFolders(root)).toEqual([]);
  expect(adoptSpoolFolders(root, Date.now() + 120_000)).toHaveLength(1);
  spools.pop();
});

const entries = fc.array(
  fc.record({
    kind: fc.constantFrom("started" as const, "finished" as const),
    id: fc.uuid(),
    row: fc.string({ unit: "binary", maxLength: 200 }).map((text) => text.toWellFormed()),
  }),
  { minLength: 1, maxLength: 12 },
);

function segmentOf(given: { kind: "started" | "finished"; id: string; row: string }[]) {
  const header = createFileHeader();
  const mark = readMark(header)!;
  const bytes = Buffer.alloc(64 * 1024);
  let at = 0;
  const starts = given.map(({ kind, id, row }) => {
    const from = at;
    at = writeEntry(bytes, at, mark, kind, id, row);
    return from;
  });
  return { mark, bytes: bytes.subarray(0, at), starts: [...starts, at] };
}

test("every whole entry of a torn file is read, and no part of another", () => {
  fc.assert(fc.property(entries, fc.nat(), (given, cut) => {
    const { mark, bytes, starts } = segmentOf(given);
    const length = cut % (bytes.length + 1);
    const whole = starts.slice(1).filter((end) => end <= length).length;
    const { entries: read, next } = scanEntries(bytes.subarray(0, length), 0, mark, 1_000);
    expect(read.map(({ kind, requestId, row }) => ({ kind, id: requestId, row: row.toString() })))
      .toEqual(given.slice(0, whole));
    expect(next).toBeLessThanOrEqual(length);
    expect(next).toBeGreaterThanOrEqual(starts[whole]!);
    // What follows is found when the rest has arrived.
    const rest = scanEntries(bytes.subarray(next), next, mark, 1_000);
    expect(read.length + rest.entries.length).toBe(given.length);
  }));
});

test("a damaged byte costs the entry it stands in, and no other", () => {
  fc.assert(fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, mask) => {
    const { mark, bytes, starts } = segmentOf(given);
    const place = at % bytes.length;
    const hit = starts.findIndex((start, index) => place >= start && place < starts[index + 1]!);
    bytes[place]! ^= mask;
    const { entries: read } = scanEntries(bytes, 0, mark, 1_000);
    const ids = given.filter((_, index) => index !== hit).map(({ id }) => id);
    expect(read.map(({ requestId }) => requestId)).toEqual(ids);
  }));
});

test("what a caller writes into a row cannot pass for an entry", () => {
  const { bytes: forged } = segmentOf([{ kind: "finished", id: crypto.randomUUID(), row: "{}" }]);
  const { mark, bytes } = segmentOf([
    { kind: "finished", id: crypto.randomUUID(), row: forged.toString("latin1") },
  ]);
  bytes[20]! ^= 1;
  expect(scanEntries(bytes, fileHeaderBytes, mark, 10).entries).toEqual([]);
});

test("a file cut in the middle of an entry is read up to there after a crash", async () => {
  const spool = open();
  for (let index = 0; index < 3; index++) spool.finish(createRequestId(), `{"n":${index}}`, []);
  await spool.close();
  spools.pop();
  const file = join(spool.path, "0000000001.rows");
  truncateSync(file, readFileSync(file).length - 3);
  const bytes = readFileSync(file);
  const { entries: read } = scanEntries(
    bytes.subarray(fileHeaderBytes),
    fileHeaderBytes,
    readMark(bytes)!,
    10,
  );
  expect(read.map(({ row }) => row.toString())).toEqual(['{"n":0}', '{"n":1}']);
});
