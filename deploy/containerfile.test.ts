import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseContainerfile } from "./containerfile.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const stages = parseContainerfile(read("Containerfile"));
const image = stages.at(-1)!;
const instruction = (word: string) => image.instructions.findLast((each) => each.word === word);

test("the image runs as a user without rights, on the Node the gateway asks for", () => {
  expect(instruction("USER")?.rest).toBe("node");
  for (const { base } of stages) expect(base).toMatch(/^node:24-[\w-]*slim$/);
});

test("the image listens on all addresses, keeps its data in a volume and tells its health", () => {
  expect(instruction("ENV")?.rest).toMatch(/\bHOST=0\.0\.0\.0\b.*\bDATA_DIR=\/data\b/);
  expect(instruction("VOLUME")?.rest).toBe("/data");
  expect(instruction("HEALTHCHECK")?.rest).toContain("deploy/healthcheck.js");
  expect(read("healthcheck.js")).toContain("/healthz");
});

test("no instruction carries a secret or asks for one", () => {
  for (const { word, rest } of stages.flatMap((stage) => stage.instructions)) {
    expect(["ARG", "ADD"]).not.toContain(word);
    expect(rest).not.toMatch(/PASSWORD|TOKEN|_KEY/);
  }
});

test("everything the image copies is let through by .dockerignore", () => {
  const allowed = read("../.dockerignore").split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => new RegExp(`^${line.slice(1).replaceAll(".", "\\.").replace("*", "[^/]*")}$`));
  const copied = stages.flatMap((stage) => stage.instructions)
    .filter(({ word, rest }) => word === "COPY" && !rest.startsWith("--from"))
    .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
  expect(copied.length).toBeGreaterThan(5);
  for (const path of copied) expect(allowed.some((rule) => rule.test(path)), path).toBe(true);
});
