import Type from "typebox";
import { closed, Description, Name, nullable, patchOf, trackedFields, Uuid } from "./field.ts";

const Prioritization = Type.Object({
  windowSeconds: Type.Integer({ minimum: 5, maximum: 300, default: 30 }),
  scaleUpThresholdPercent: Type.Number({ minimum: 1, maximum: 100, default: 50 }),
  cooldownSeconds: Type.Integer({ minimum: 0, maximum: 300, default: 5 }),
}, closed);

/** All settings of an environment. */
export const EnvironmentSettings = Type.Object({
  payloadCapture: Type.Enum(["full", "metadata", "none"], {
    default: "full",
    description: "What the audit keeps of requests and answers",
  }),
  auditRetentionDays: Type.Integer({ minimum: 1, maximum: 3650, default: 90 }),
  usageRetentionDays: Type.Integer({ minimum: 1, maximum: 3650, default: 400 }),
  allowOverrides: Type.Boolean({
    default: true,
    description: "Whether requests may override resource settings; the key must allow it too",
  }),
  allowAdHoc: Type.Boolean({
    default: true,
    description: "Whether `<connection>/<model>` may be called; the key must allow it too",
  }),
  onLoss: Type.Enum(["allow", "warn", "reject"], {
    default: "warn",
    description: "What happens when a field cannot be translated exactly; default for resources",
  }),
  reservation: Type.Enum(["learned", "max"], {
    default: "learned",
    description: "How expected output is reserved",
  }),
  outputTokensBeforeLearning: Type.Integer({ minimum: 1, maximum: 100_000, default: 512 }),
  prioritization: Prioritization,
  routingTrace: Type.Enum(["full", "result"], { default: "full" }),
  color: nullable(Type.String({
    pattern: "^#[0-9a-fA-F]{6}$",
    description: "Tint of the console's top bar",
  })),
  production: Type.Boolean({
    default: false,
    description: "Marks the environment in the console and guards destructive dialogs",
  }),
}, {
  ...closed,
  title: "EnvironmentSettings",
  description: "Settings of an environment, defaults filled in",
});
/** See the schema of the same name. */
export type EnvironmentSettings = Type.Static<typeof EnvironmentSettings>;

/** The settings of an environment that sets none. */
export const defaultEnvironmentSettings: EnvironmentSettings = {
  payloadCapture: "full",
  auditRetentionDays: 90,
  usageRetentionDays: 400,
  allowOverrides: true,
  allowAdHoc: true,
  onLoss: "warn",
  reservation: "learned",
  outputTokensBeforeLearning: 512,
  prioritization: { windowSeconds: 30, scaleUpThresholdPercent: 50, cooldownSeconds: 5 },
  routingTrace: "full",
  color: null,
  production: false,
};

const { prioritization: _, ...plainSettings } = EnvironmentSettings.properties;

/** Settings to set; null goes back to the default. */
export const EnvironmentSettingsPatch = patchOf(
  Type.Object({
    ...optionalAll(plainSettings),
    prioritization: Type.Optional(
      patchOf(Type.Object(optionalAll(Prioritization.properties))),
    ),
  }, closed),
  {
    title: "EnvironmentSettingsPatch",
    description: "Settings of an environment; absent ones stay, null goes back to the default",
  },
);
/** See the schema of the same name. */
export type EnvironmentSettingsPatch = Type.Static<typeof EnvironmentSettingsPatch>;

/** The isolation level inside a workspace. */
export const Environment = Type.Object({
  environmentId: Uuid,
  workspaceId: Uuid,
  name: Type.String(),
  description: nullable(Type.String()),
  settings: EnvironmentSettings,
  ...trackedFields,
}, { ...closed, title: "Environment", description: "The isolation level inside a workspace" });
/** See the schema of the same name. */
export type Environment = Type.Static<typeof Environment>;

/** Body that creates an environment. */
export const EnvironmentCreate = Type.Object({
  name: Name,
  description: Type.Optional(nullable(Description)),
  settings: Type.Optional(EnvironmentSettingsPatch),
}, { ...closed, title: "EnvironmentCreate", description: "A new environment" });
/** See the schema of the same name. */
export type EnvironmentCreate = Type.Static<typeof EnvironmentCreate>;

/** Body that changes an environment. */
export const EnvironmentPatch = patchOf(EnvironmentCreate, {
  title: "EnvironmentPatch",
  description: "Changes of an environment",
});
/** See the schema of the same name. */
export type EnvironmentPatch = Type.Static<typeof EnvironmentPatch>;

function optionalAll<Properties extends Type.TProperties>(properties: Properties): {
  [Key in keyof Properties]: Type.TOptional<Properties[Key]>;
} {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)]),
  ) as { [Key in keyof Properties]: Type.TOptional<Properties[Key]> };
}
