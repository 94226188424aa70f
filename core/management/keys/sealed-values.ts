import type { EntityManager } from "@mikro-orm/postgresql";
import type { SealContext } from "../../contract/encryption.ts";
import {
  type Configuration,
  secretPaths,
  valueAt,
  withValueAt,
} from "../../host/configuration-schema.ts";
import { sealedBy } from "../../host/encryption-backends.ts";
import type { PluginHost } from "../../host/plugin-host.ts";
import { settingContext } from "../../host/stored-settings.ts";
import { AiConnection, PluginSetting } from "../../store/entities/index.ts";

/** A row with sealed values. */
export interface SealedRow {
  readonly kind: "ai-connection" | "plugin";
  readonly id: string;
  /**
   * Whether a schema says which values are secret. Of a plugin that is gone only the form of a text tells,
   * and anybody may have written such a text.
   */
  readonly isCertain: boolean;
  readonly values: readonly SealedValue[];
  /**
   * Puts new sealed texts, by the names of the values, in their place; values that changed meanwhile stay.
   */
  replace(texts: ReadonlyMap<string, string>): void;
}

/** One sealed value and where it lives. */
export interface SealedValue {
  /** Tells it from all others, and from what stood in its place before. */
  readonly name: string;
  /** Dotted path in the configuration. */
  readonly path: string;
  readonly sealed: string;
  readonly context: SealContext;
}

/** What tells a row from all others. */
export function rowName({ kind, id }: Pick<SealedRow, "kind" | "id">): string {
  return `${kind} ${id}`;
}

/**
 * Every row that holds sealed values, in a fixed order, or those of the names given. Nothing else in the
 * database is sealed: whoever seals values in another table adds it here.
 */
export async function readSealedRows(
  em: EntityManager,
  host: Pick<PluginHost, "find" | "plugins">,
  only?: ReadonlySet<string>,
): Promise<SealedRow[]> {
  const ids = (kind: SealedRow["kind"]) =>
    [...only!].filter((name) => name.startsWith(`${kind} `)).map((name) =>
      name.slice(kind.length + 1)
    );
  const connections = await em.find(
    AiConnection,
    only ? { connectionId: { $in: ids("ai-connection") } } : {},
    { orderBy: { connectionId: "asc" } },
  );
  const settings = await em.find(
    PluginSetting,
    only ? { pluginId: { $in: ids("plugin") } } : {},
    { orderBy: { pluginId: "asc" } },
  );
  const rows = [
    ...connections.map((row): SealedRow => {
      const schema = host.find("providers", row.provider)?.configuration;
      const { environmentId: environment, connectionId: owner } = row;
      const name = { kind: "ai-connection", id: owner } as const;
      const values = valuesOf(schema, row.config, rowName(name), (field) => ({
        environment,
        owner,
        field,
      }));
      return {
        ...name,
        isCertain: schema !== undefined,
        values,
        replace: (texts) => void (row.config = withTexts(row.config, values, texts)),
      };
    }),
    ...settings.map((row): SealedRow => {
      const schema = host.plugins().find(({ id }) => id === row.pluginId)?.settings?.schema;
      const name = { kind: "plugin", id: row.pluginId } as const;
      const values = valuesOf(
        schema,
        row.settings,
        rowName(name),
        (field) => settingContext(row.pluginId, field),
      );
      return {
        ...name,
        isCertain: schema !== undefined,
        values,
        replace: (texts) => void (row.settings = withTexts(row.settings, values, texts)),
      };
    }),
  ];
  return rows.filter(({ values }) => values.length > 0);
}

/** The backends that sealed what is stored. */
export async function neededBackends(
  em: EntityManager,
  host: Pick<PluginHost, "find" | "plugins">,
): Promise<ReadonlySet<string>> {
  const values = (await readSealedRows(em, host)).flatMap(({ values }) => values);
  return new Set(values.map(({ sealed }) => sealedBy(sealed)!.backend));
}

function valuesOf(
  schema: Readonly<Record<string, unknown>> | undefined,
  config: Configuration,
  row: string,
  contextOf: (path: string) => SealContext,
): SealedValue[] {
  const paths = schema ? secretPaths(schema, config) : textPaths(config);
  return paths.flatMap((path) => {
    const sealed = valueAt(config, path);
    const isSealed = typeof sealed === "string" && sealedBy(sealed) !== undefined;
    if (!isSealed) return [];
    return [{ name: `${row} ${path} ${sealed}`, path, sealed, context: contextOf(path) }];
  });
}

function textPaths(value: unknown, at = ""): string[] {
  if (typeof value === "string") return [at];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const escaped = name.replace(/[.\\]/g, "\\$&");
    return textPaths(member, at === "" ? escaped : `${at}.${escaped}`);
  });
}

function withTexts(
  config: Configuration,
  values: readonly SealedValue[],
  texts: ReadonlyMap<string, string>,
): Record<string, unknown> {
  let next = config;
  for (const { name, path } of values) {
    const text = texts.get(name);
    if (text !== undefined) next = withValueAt(next, path, text);
  }
  return next as Record<string, unknown>;
}
