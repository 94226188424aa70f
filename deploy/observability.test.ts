import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { definitions } from "../core/telemetry/names.ts";
import { prometheusName } from "../plugins/metrics-prometheus/name.ts";

/* The dashboard and the alerts ask for metrics that exist, by labels these metrics have. */

const read = (name: string) =>
  readFileSync(new URL(`observability/${name}`, import.meta.url), "utf8");
const dashboard = JSON.parse(read("dashboard.json"));
const alerts = parse(read("alerts.yaml"));
const names = new Set(
  Object.values(definitions).flatMap((definition) => {
    const name = prometheusName(definition).replaceAll(".", "_");
    return definition.type === "counter"
      ? [`${name}_total`]
      : definition.type === "histogram"
      ? [`${name}_bucket`, `${name}_sum`, `${name}_count`]
      : [name];
  }),
);

const metricsIn = (expression: string) =>
  expression.match(/\b(?:vmx|gen_ai)_[a-z_]+(?=[{[\s)]|$)/g) ?? [];

const panels: {
  id: number;
  title: string;
  type: string;
  targets?: { expr: string; refId: string }[];
}[] = dashboard.panels;
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const)
);
const rules: { alert: string; expr: string; annotations: Record<string, string> }[] = alerts.groups
  .flatMap((group: { rules: object[] }) => group.rules);

test.each(queries)("panel %s asks for metrics that exist: %s", (_title, expression) => {
  const asked = metricsIn(expression).filter((name) => !/^gen_ai_(provider|request)_/.test(name));
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((name) => !names.has(name))).toEqual([]);
});

test.each(rules)("alert $alert asks for metrics that exist and tells what to do", (rule) => {
  expect(metricsIn(rule.expr).length).toBeGreaterThan(0);
  expect(metricsIn(rule.expr).filter((name) => !names.has(name))).toEqual([]);
  expect(rule.annotations).toHaveProperty("summary");
  expect(rule.annotations).toHaveProperty("description");
});

test("panels have ids of their own and every variable of a query is defined", () => {
  const ids = panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const defined = dashboard.templating.list.map(({ name }: { name: string }) => name);
  for (const [, expression] of queries) {
    const used = [...expression.matchAll(/\$(\w+)/g)].map(([, name]) => name);
    for (const name of used) expect(["__rate_interval", ...defined]).toContain(name);
  }
});
