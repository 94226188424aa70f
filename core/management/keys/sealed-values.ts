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
  readonly values: readonly SealedValue[];
  /** Puts sealed texts in the place of the present ones. */
  replace(texts: ReadonlyMap<string, string>): void;
}

/** One sealed value and where it lives. */
export interface SealedValue {
  /** Dotted path in the configuration. */
  readonly path: string;
  readonly sealed: string;
  readonly context: SealContext;
}

/** All rows that hold sealed values, or those of the ids given. */
export async function readSealedRows(
  em: EntityManager,
  host: Pick<PluginHost, "find" | "plugins">,
  ids?: ReadonlySet<string>,
): Promise<SealedRow[]> {
  const [connections, settings] = [
    await em.find(AiConnection, {}),
    await em.find(PluginSetting, {}),
  ];
  const rows = [
    ...connections.map((row): SealedRow => {
      const schema = host.find("providers", row.provider)?.configuration;
      const { environmentId: environment, connectionId: owner } = row;
      return {
        kind: "ai-connection",
        id: owner,
        values: valuesOf(schema, row.config, (field) => ({ environment, owner, field })),
        replace: (texts) => void (row.config = withTexts(row.config, texts)),
      };
    }),
    ...settings.map((row): SealedRow => {
      const schema = host.plugins().find(({ id }) => id === row.pluginId)?.settings?.schema;
      return {
        kind: "plugin",
        id: row.pluginId,
        values: valuesOf(schema, row.settings, (field) => settingContext(row.pluginId, field)),
        replace: (texts) => void (row.settings = withTexts(row.settings, texts)),
      };
    }),
  ];
  return rows.filter(({ id, values }) => values.length > 0 && (ids === undefined || ids.has(id)));
}

function valuesOf(
  schema: Readonly<Record<string, unknown>> | undefined,
  config: Configuration,
  contextOf: (path: string) => SealContext,
): SealedValue[] {
  // Of a plugin that is gone nobody knows which members are secret: there the form of the text tells.
  const paths = schema ? secretPaths(schema, config) : textPaths(config);
  return paths.flatMap((path) => {
    const sealed = valueAt(config, path);
    const isSealed = typeof sealed === "string" && sealedBy(sealed) !== undefined;
    return isSealed ? [{ path, sealed, context: contextOf(path) }] : [];
  });
}

function textPaths(value: unknown, at = ""): string[] {
  if (typeof value === "string") return [at];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const escaped = name.replace(/[.\\]/g, "\\$&");
    return textPaths(member, at === "" ? escaped : `${at}.${escaped}`);
  });
}

function withTexts(
  config: Configuration,
  texts: ReadonlyMap<string, string>,
): Record<string, unknown> {
  let next = config;
  for (const [path, text] of texts) next = withValueAt(next, path, text);
  return { ...next };
}
