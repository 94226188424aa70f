import { expect, test } from "vitest";
import { databaseUrl } from "./database-url.ts";

test.each([
  "postgres://user:password@host:5432/name",
  "postgresql://user@host/name?sslmode=require",
  "postgresql://user@localhost/name?host=%2Ftmp%2Ffolder",
  "postgres://host",
  "postgres://user:p%40ss%2F@host/name",
  "postgres://user:p@ss@host/name",
])("%s is the URL of a database", (text) => {
  expect(databaseUrl.parse(text)).toBe(text);
});

test.each([
  "mysql://user:password@host/name",
  "host:5432/name",
  "postgres:host",
  "postgres://user:password@host:99999/name",
  "postgres://user:pass word@host/name",
  // Bare delimiters in a password, and what is no encoding.
  "postgres://user:12/ss@host/name",
  "postgres://user:12?ss@host/name",
  "postgres://user:12#ss@host/name",
  "postgres://user:p%zz@host/name",
  "postgres://host/%zz",
])("%s is not", (text) => {
  expect(databaseUrl.parse(text)).toBeUndefined();
});
