import Type from "typebox";
import { closed, nullable, Timestamp, Uuid } from "./field.ts";

/** One unit of a currency has a million of these; ten thousand units per million tokens are the most. */
const Price = Type.Integer({
  minimum: 0,
  maximum: 10_000_000_000,
  description: "Micro-units of the currency",
});
const Pattern = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: "^[^\\s\\p{Cc}]+$",
  description: "`*` stands for any run of characters, `?` for exactly one",
});

/** Prices of a million tokens, by class. */
export const TokenPrices = Type.Object({
  inputUncached: Price,
  inputCacheRead: Type.Optional(Price),
  inputCacheWrite5m: Type.Optional(Price),
  inputCacheWrite1h: Type.Optional(Price),
  output: Price,
  reasoning: Type.Optional(Price),
  audioInput: Type.Optional(Price),
  audioOutput: Type.Optional(Price),
}, {
  ...closed,
  title: "TokenPrices",
  description: "Prices of a million tokens. Absent classes: cache read and audio input = input, " +
    "5-minute write = 1.25 x input, 1-hour write = 2 x input, reasoning and audio output = output",
});
/** See the schema of the same name. */
export type TokenPrices = Type.Static<typeof TokenPrices>;

const prices = {
  pricePerMillion: TokenPrices,
  pricePerRequest: Type.Optional(Price),
  pricePerWebSearch: Type.Optional(Price),
  source: Type.Optional(Type.String({
    maxLength: 200,
    description: "Where the prices stand, such as the name of the vendor's price page",
  })),
  checkedOn: Type.Optional(Type.String({
    format: "date",
    description: "Day on which the prices were read there",
  })),
};
const model = { model: Pattern, serviceTier: Type.Optional(Pattern) };

/** A row of a provider plugin's list of prices. */
export const ProviderPrice = Type.Object({ ...model, ...prices }, {
  ...closed,
  title: "ProviderPrice",
});
/** See the schema of the same name. */
export type ProviderPrice = Type.Static<typeof ProviderPrice>;

/** The prices of the models an entry matches. */
export const PriceEntry = Type.Object({ provider: Pattern, ...model, ...prices }, {
  ...closed,
  title: "PriceEntry",
  description: "Prices of the models it matches; of several entries the most specific wins",
});
/** See the schema of the same name. */
export type PriceEntry = Type.Static<typeof PriceEntry>;

const Currency = Type.String({
  pattern: "^[A-Z]{3}$",
  description: "ISO 4217; all lists in use should have the same",
});
const summary = {
  priceListId: Uuid,
  version: Type.Integer({ minimum: 1 }),
  source: Type.Enum(["SYSTEM", "USER"]),
  effectiveFrom: Timestamp,
  currency: Currency,
  createdAt: nullable(Timestamp),
  createdBy: nullable(Uuid),
};

/** A price list without its entries. */
export const PriceListSummary = Type.Object({
  ...summary,
  entryCount: Type.Integer({ minimum: 0 }),
}, { ...closed, title: "PriceListSummary" });
/** See the schema of the same name. */
export type PriceListSummary = Type.Static<typeof PriceListSummary>;

/** A price list. It is never changed, only superseded by one of a higher version. */
export const PriceList = Type.Object({ ...summary, entries: Type.Array(PriceEntry) }, {
  ...closed,
  title: "PriceList",
});
/** See the schema of the same name. */
export type PriceList = Type.Static<typeof PriceList>;

const given = {
  currency: Type.Optional(Currency),
  entries: Type.Optional(Type.Array(PriceEntry, { maxItems: 5_000 })),
  csv: Type.Optional(Type.String({
    maxLength: 2_000_000,
    description: "In place of `entries`: a table (RFC 4180) whose header names the members of an " +
      "entry, such as `provider,model,inputUncached,output`",
  })),
};

/** Body of the creation of a price list. */
export const CreatePriceList = Type.Object({
  ...given,
  effectiveFrom: Type.Optional(Type.String({
    format: "date-time",
    description: "From when on requests are priced by the list; now when absent",
  })),
}, { ...closed, title: "CreatePriceList", description: "Needs either `entries` or `csv`" });
/** See the schema of the same name. */
export type CreatePriceList = Type.Static<typeof CreatePriceList>;

/** Body of the preview of a price list. */
export const PreviewPriceList = Type.Object({
  ...given,
  days: Type.Optional(Type.Integer({ minimum: 1, maximum: 90, default: 30 })),
}, { ...closed, title: "PreviewPriceList", description: "Needs either `entries` or `csv`" });
/** See the schema of the same name. */
export type PreviewPriceList = Type.Static<typeof PreviewPriceList>;

/** Body of a re-rating. */
export const RerateUsage = Type.Object({
  from: Type.String({ format: "date-time" }),
  to: Type.String({ format: "date-time" }),
  workspaceId: Type.Optional(Uuid),
  environmentId: Type.Optional(Uuid),
  dryRun: Type.Optional(Type.Boolean({ description: "True only tells what would change" })),
}, { ...closed, title: "RerateUsage" });
/** See the schema of the same name. */
export type RerateUsage = Type.Static<typeof RerateUsage>;

const effect = {
  requests: Type.Integer(),
  before: Type.Integer({ description: "Nano-units" }),
  after: Type.Integer({ description: "Nano-units" }),
  difference: Type.Integer({ description: "Nano-units" }),
  unpriced: Type.Integer({ description: "Requests with usage but without a price" }),
};

/** What other prices would have made, or have made, of requests. */
export const CostEffect = Type.Object({
  currency: Currency,
  from: Timestamp,
  to: Timestamp,
  dryRun: Type.Boolean(),
  ...effect,
  models: Type.Array(Type.Object({ provider: Type.String(), model: Type.String(), ...effect }, {
    ...closed,
  })),
}, { ...closed, title: "CostEffect" });
/** See the schema of the same name. */
export type CostEffect = Type.Static<typeof CostEffect>;
