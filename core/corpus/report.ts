/** How a case of the corpus went. */
export type Verdict = "passed" | "listed" | "failed";

/** Counts verdicts per service and caller's dialect. */
export interface Report {
  note(service: string, caller: string, verdict: Verdict, remark?: string): void;
  /** Notes that a case was asked with the recorded request, translated whole. */
  noteWhole(service: string, caller: string): void;
  /** The table, with every remark below it. */
  toString(): string;
}

/** Starts an empty report. */
export function createReport(): Report {
  const cells = new Map<string, Map<string, Record<Verdict, number>>>();
  const remarks = new Map<string, number>();
  const whole = new Map<string, number>();
  const key = (service: string, caller: string): string => `${service} x ${caller}`;
  return {
    note(service, caller, verdict, remark) {
      const row = cells.get(service) ?? new Map<string, Record<Verdict, number>>();
      cells.set(service, row);
      const cell = row.get(caller) ?? { passed: 0, listed: 0, failed: 0 };
      row.set(caller, cell);
      cell[verdict]++;
      if (remark !== undefined) {
        const line = `${key(service, caller)}: ${remark}`;
        remarks.set(line, (remarks.get(line) ?? 0) + 1);
      }
    },
    noteWhole(service, caller) {
      whole.set(key(service, caller), (whole.get(key(service, caller)) ?? 0) + 1);
    },
    toString() {
      const head = row("service", "caller", "cases", "passed", "listed", "failed", "whole");
      const lines = ["whole: asked with the recorded request, translated", "", head];
      for (const [service, callers] of cells) {
        for (const [caller, { passed, listed, failed }] of callers) {
          const cases = passed + listed + failed;
          const asked = whole.get(key(service, caller)) ?? 0;
          lines.push(row(service, caller, cases, passed, listed, failed, asked));
        }
      }
      const notes = [...remarks].map(([line, times]) => `${String(times).padStart(4)} ${line}`);
      return [...lines, "", "Listed:", ...notes].join("\n");
    },
  };
}

function row(...cells: readonly (string | number)[]): string {
  const [service, caller, ...counts] = cells;
  return [
    String(service).padEnd(20),
    String(caller).padEnd(20),
    ...counts.map((count) => String(count).padStart(7)),
  ].join(" ");
}
