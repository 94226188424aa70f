import { styleText } from "node:util";
import type { Row } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** What a table is shown on. */
export type Screen = Pick<Terminal, "columns" | "colours">;

/** States that are worth a colour wherever they stand. */
const stateColours: Readonly<Record<string, "green" | "yellow" | "red">> = {
  ok: "green",
  ready: "green",
  warning: "yellow",
  aborted: "yellow",
  interrupted: "yellow",
  error: "red",
  failed: "red",
};

/** Members that come first when an object has them. */
const leading = ["username", "name", "id", "at", "timestamp", "email", "provider", "model"];
/** Members that only the wide table shows. */
const wideOnly =
  /(?<!request)Ids?$|Schema$|^(description|version|createdAt|createdBy|updatedBy|managedBy|createdByUser|updatedByUser)$/;
/** Switches worth a column: the others only say that nothing is unusual. */
const shownSwitches = new Set([
  "enabled",
  "current",
  "signedIn",
  "ok",
  "allowed",
  "builtIn",
  "matched",
]);
/** What tells objects apart; an id is shown where none of these is. */
const telling = ["name", "username", "id", "at", "timestamp", "resourceName", "connectionName"];
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** Widest cell, so that one long text does not push everything else off the screen. */
const widestCell = 60;

/** A table of objects: scalars, short lists and names of things within. */
export function tableOf(rows: readonly Row[], wide: boolean, screen?: Screen): string {
  if (rows.length === 0) return "";
  const members = columnsOf(rows, wide);
  const header = members.map(title);
  const cells = rows.map((row) => members.map((member) => cellOf(row[member], wide)));
  const widths = members.map((_, index) =>
    Math.max(...[header, ...cells].map((line) => line[index]!.length))
  );
  // Where each column begins, and where the last one ends.
  const starts = widths.reduce<number[]>((all, width) => [...all, all.at(-1)! + width + 2], [0]);
  const room = wide ? Infinity : screen?.columns ?? Infinity;
  const colours = screen?.colours ?? false;
  const lines = [header, ...cells].map((line, at) => {
    const text = line.map((cell, index) => cell.padEnd(widths[index]!)).join("  ").trimEnd();
    const fitted = text.length > room ? `${text.slice(0, room - 1)}…` : text;
    if (!colours) return fitted;
    if (at === 0) return styleText("bold", fitted, { validateStream: false });
    return line.map((cell, index) =>
      paintState(fitted.slice(starts[index], starts[index + 1]), cell, colours)
    ).join("");
  });
  return `${lines.join("\n")}\n`;
}

/** A text in the colour of the state it tells. */
export function paintState(text: string, state: string, colours: boolean): string {
  const colour = colours && Object.hasOwn(stateColours, state) ? stateColours[state] : undefined;
  return colour ? styleText(colour, text, { validateStream: false }) : text;
}

function columnsOf(rows: readonly Row[], wide: boolean): string[] {
  const members = [...new Set(rows.flatMap(Object.keys))];
  const shown = members.filter((member) => {
    const values = rows.map((row) => row[member]);
    // A column in which nobody has anything is noise.
    if (values.every((value) => cellOf(value, wide) === "-")) return false;
    return wide || isWorthShowing(member, members, values);
  });
  const rank = (member: string) => {
    const place = leading.indexOf(member);
    return place < 0 ? leading.length : place;
  };
  return shown.sort((one, other) => rank(one) - rank(other));
}

function isWorthShowing(
  member: string,
  members: readonly string[],
  values: readonly unknown[],
): boolean {
  const told = telling.some((each) => each !== member && members.includes(each));
  if (member === "id") return !told || !values.every((value) => uuid.test(String(value)));
  if (wideOnly.test(member)) {
    return !told && members.find((each) => each.endsWith("Id")) === member;
  }
  if (values.every((value) => typeof value === "boolean")) return shownSwitches.has(member);
  return values.some((value) => !/^\{\d+\}$|^-$/.test(cellOf(value, false)));
}

/** `lastUsedAt` becomes `LAST USED AT`. */
function title(member: string): string {
  return member.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toUpperCase();
}

function cellOf(value: unknown, wide: boolean): string {
  const text = plain(value);
  if (text === "") return "-";
  return wide || text.length <= widestCell ? text : `${text.slice(0, widestCell - 1)}…`;
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return oneLine(shortTime(value));
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) {
    const scalars = value.every((each) => typeof each !== "object" || each === null);
    return scalars || value.length === 0 ? value.map(plain).join(",") : `${value.length}`;
  }
  const members = value as Row;
  for (const name of ["name", "username", "state", "model", "status", "via"]) {
    if (typeof members[name] === "string") return oneLine(members[name]);
  }
  const size = Object.keys(members).length;
  return size === 0 ? "" : `{${size}}`;
}

/** Times without milliseconds: a table is for eyes. */
function shortTime(text: string): string {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(text);
  return found ? `${found[1]} ${found[2]}Z` : text;
}

/** Control characters could move the cursor or colour the screen. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ");
}
