import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { greets } from "./pulse.ts";
import { startTestDatabase, type TestDatabase } from "./testing.ts";

/* What counts as a sign of life of a database. */

const patienceMs = 5_000;
const sockets: Socket[] = [];
let database: TestDatabase;
let silent: Server;
let slow: Server;

beforeAll(async () => {
  database = await startTestDatabase();
  silent = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
  // Asks for a password and then says nothing more, as when a directory is asked for the user.
  slow = createServer((socket) => {
    sockets.push(socket);
    socket.once("data", () => socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])));
  }).listen(0, "127.0.0.1");
  await Promise.all([once(silent, "listening"), once(slow, "listening")]);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  slow.close();
  await database.stop();
});

const urlOf = (server: Server) =>
  `postgres://user:password@127.0.0.1:${(server.address() as AddressInfo).port}/name`;

test("whoever answers lives, and be it with a refusal", async () => {
  expect(await greets(database.url, patienceMs)).toBe(true);
  expect(await greets(database.url.replace("/postgres?", "/nobody-made-it?"), patienceMs)).toBe(
    true,
  );
  expect(await greets(urlOf(slow), patienceMs)).toBe(true);
});

test("what fails at once is no silence", async () => {
  expect(await greets("postgres://user@127.0.0.1:1/name", patienceMs)).toBe(true);
  const url = `${database.url}&sslmode=verify-full&sslrootcert=%2Fno%2Fsuch%2Ffile.pem`;
  expect(await greets(url, patienceMs)).toBe(true);
});

test("who takes a connection and says nothing is silent", async () => {
  expect(await greets(urlOf(silent), 200)).toBe(false);
});
