import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import {
  CreateDatabaseCommand,
  DescribeTableCommand,
  TimestreamWriteClient,
} from "@aws-sdk/client-timestream-write";
import type { Log, Measurement } from "@vmx/core/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createService } from "./service.ts";
import { createSink } from "./sink.ts";
import { freePort, startTimestreamEmulator, type TimestreamEmulator } from "./testing.ts";

/*
 * Writing is tested against an emulator. It answers queries with what it was given beforehand, so for those a server
 * speaks the documented protocol and the statement is looked at.
 */

const place = { database: "vmx", table: "usage_test" };
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const region = "us-east-1";
let emulator: TimestreamEmulator;
let endpoint: string;

beforeAll(async () => {
  process.env["AWS_ACCESS_KEY_ID"] = "testing";
  process.env["AWS_SECRET_ACCESS_KEY"] = "testing";
  emulator = await startTimestreamEmulator();
  endpoint = emulator.endpoint;
  const client = new TimestreamWriteClient({ region, endpoint });
  await client.send(new CreateDatabaseCommand({ DatabaseName: place.database }));
  client.destroy();
});
afterAll(() => emulator?.stop());

const point: Measurement = {
  at: 1_700_000_000_123,
  leg: 1,
  measures: { totalTokens: 7, requestDuration: 1.5, reasoningTokens: null },
  dimensions: { workspaceId: "w", environmentId: "e", requestId: "r", "metadata.team": "x" },
};

test("the table is made and the emulator takes the records", async () => {
  const sink = createSink(createService({ ...place, region, endpoint }, silent), place);
  await sink.record(Array.from({ length: 250 }, (_, at) => ({ ...point, at: point.at + at })));
  // A second sink finds the table there.
  const other = createSink(createService({ ...place, region, endpoint }, silent), place);
  await other.record([point]);
  const client = new TimestreamWriteClient({ region, endpoint });
  const { Table } = await client.send(
    new DescribeTableCommand({ DatabaseName: place.database, TableName: place.table }),
  );
  expect(Table?.TableStatus).toBe("ACTIVE");
  client.destroy();
  await Promise.all([sink.close(), other.close()]);
});

test("records go in calls of a hundred, each with every column; rejected ones are not sent again", async () => {
  const calls: { Records: { Dimensions: unknown[]; MeasureValues: unknown[] }[] }[] = [];
  const server = await serve((target, body) => {
    if (!target.endsWith("WriteRecords")) return {};
    calls.push(body as never);
    return calls.length < 3 ? {} : {
      __type: "RejectedRecordsException",
      RejectedRecords: [{ RecordIndex: 0, Reason: "too old" }],
    };
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sink = createSink(createService({ ...place, region, endpoint: address }, silent), place);
  await sink.record(Array.from({ length: 250 }, (_, at) => ({ ...point, at: point.at + at })));
  expect(calls.map(({ Records }) => Records.length)).toEqual([100, 100, 50]);
  const [record] = calls[0]!.Records;
  expect(record).toMatchObject({ Time: "1700000000123", MeasureValueType: "MULTI" });
  expect(record!.Dimensions).toContainEqual({ Name: "userId", Value: "-" });
  expect(record!.Dimensions).toContainEqual({ Name: "leg", Value: "1" });
  expect(record!.MeasureValues).toContainEqual({ Name: "totalTokens", Value: "7", Type: "BIGINT" });
  expect(record!.MeasureValues).toContainEqual({
    Name: "reasoningTokens",
    Value: "-1",
    Type: "BIGINT",
  });
  expect(record!.MeasureValues).toContainEqual({
    Name: "metadata",
    Value: '{"team":"x"}',
    Type: "VARCHAR",
  });
  await sink.close();
  server.close();
});

test("a service that is away is told, so that the points are tried again", async () => {
  const away = `http://127.0.0.1:${await freePort()}`;
  const sink = createSink(createService({ ...place, region, endpoint: away }, silent), place);
  await expect(sink.record([point])).rejects.toThrow();
  await sink.close();
});

test("a question becomes one statement; its pages become groups", async () => {
  const asked: { target: string; body: Record<string, string> }[] = [];
  const row = (...values: (string | null)[]) => ({
    Data: values.map((value) => value === null ? { NullValue: true } : { ScalarValue: value }),
  });
  const server = await serve((target, body) => {
    asked.push({ target, body });
    return body["NextToken"]
      ? { QueryId: "q", ColumnInfo: [], Rows: [row("1", null, "5", null)] }
      : { QueryId: "q", ColumnInfo: [], Rows: [row("0", "x", "2", "1.5")], NextToken: "more" };
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sink = createSink(createService({ ...place, region, endpoint: address }, silent), place);
  const groups = await sink.query!({
    workspaceId: "w",
    environmentId: "e",
    start: 1_000,
    end: 3_000,
    bucketStarts: [1_000, 2_000],
    granularity: "second",
    timeZone: "UTC",
    dimensions: ["metadata.team"],
    filters: [{ field: "model", operator: "neq", value: "it's" }],
    aggregates: [
      { measure: "totalTokens", function: "sum" },
      { measure: "requestDuration", function: "p95" },
    ],
  });
  expect(groups).toEqual([
    { bucket: 0, dimensions: ["x"], values: [2, 1.5] },
    { bucket: 1, dimensions: [null], values: [5, null] },
  ]);
  expect(asked.map(({ target }) => target)).toEqual([
    "Timestream_20181101.Query",
    "Timestream_20181101.Query",
  ]);
  expect(asked[0]!.body["QueryString"]).toBe(
    "SELECT width_bucket(CAST(to_milliseconds(time) AS double), ARRAY[1000e0, 2000e0]) - 1, " +
      `json_extract_scalar(metadata, '$["team"]'), sum(nullif(totalTokens, -1)), ` +
      'approx_percentile(nullif(requestDuration, -1), 0.95) FROM "vmx"."usage_test" ' +
      "WHERE time >= from_milliseconds(1000) AND time < from_milliseconds(3000) " +
      "AND environmentId = 'e' AND workspaceId = 'w' " +
      "AND nullif(model, '-') IS DISTINCT FROM 'it''s' GROUP BY 1, 2",
  );
  await sink.close();
  server.close();
});

async function serve(
  answer: (target: string, body: Record<string, string>) => unknown,
): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
      response.setHeader("content-type", "application/x-amz-json-1.0");
      const answered = answer(String(request.headers["x-amz-target"]), body) as object;
      response.statusCode = "__type" in answered ? 419 : 200;
      response.end(JSON.stringify(answered));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
