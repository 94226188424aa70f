import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { prepareDataFolder } from "./data-folder.ts";
import { StartError } from "./start-error.ts";

const root = mkdtempSync(join(tmpdir(), "vmx-folder-"));
afterAll(() => rmSync(root, { recursive: true }));
const modeOf = (folder: string) => statSync(folder).mode & 0o777;

test("the data folder is made with those above it, and only it is private", () => {
  const folder = join(root, "var/lib/vmx");
  prepareDataFolder(folder);
  expect(modeOf(folder)).toBe(0o700);
  expect(modeOf(join(root, "var"))).toBe(0o777 & ~process.umask());
  chmodSync(folder, 0o755);
  prepareDataFolder(folder);
  expect(modeOf(folder)).toBe(0o700);
});

test("a folder that cannot be made is one plain sentence that names it and what to do", () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  const prepare = () => prepareDataFolder(join(file, "data"));
  expect(prepare).toThrow(StartError);
  expect(prepare).toThrow(`Cannot use data folder ${join(file, "data")}: E`);
  expect(prepare).toThrow("name another folder in DATA_DIR");
});
