import type { FederatedIdentity, Json, JsonObject } from "../../contract/index.ts";

/** What a login tells about a person, in the form a user is stored in. */
export interface FederatedPerson {
  readonly issuer: string;
  readonly subject: string;
  /** Undefined when the provider sent none, or one that is none. */
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly pictureUrl: string | null;
}

/** Reads a person out of an identity. What does not fit a user's fields is left out. */
export function readPerson(identity: FederatedIdentity): FederatedPerson {
  const { claims } = identity;
  const email = identity.email?.trim();
  const isEmail = email !== undefined && email.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(email);
  const firstName = line(claims["given_name"]);
  const lastName = line(claims["family_name"]);
  const picture = claims["picture"];
  return {
    issuer: identity.issuer,
    subject: identity.subject,
    email: isEmail ? email : undefined,
    emailVerified: identity.emailVerified,
    name: line(identity.name) || `${firstName} ${lastName}`.trim() || line(email) || "Unnamed",
    firstName: firstName || line(identity.name) || line(email) || "Unnamed",
    lastName,
    pictureUrl: typeof picture === "string" && picture.length <= 2000 &&
        /^https:$/.test(URL.parse(picture)?.protocol ?? "")
      ? picture
      : null,
  };
}

/**
 * Texts at a claim path: the claim of that name, which may hold dots, else what the dotted path leads to. A single text
 * counts as a list of one; whatever is no text is left out.
 */
export function claimTexts(claims: JsonObject, path: string): readonly string[] {
  const found = Object.hasOwn(claims, path) ? claims[path] : path.split(".").reduce<
    Json | undefined
  >(
    (value, name) => isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined,
    claims,
  );
  const list = Array.isArray(found) ? found as readonly Json[] : [found];
  return list.filter((each) => typeof each === "string");
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One line of at most 128 characters without control characters. */
function line(value: unknown): string {
  if (typeof value !== "string") return "";
  return [...value.normalize("NFC").replace(/\p{Cc}+/gu, " ").trim()].slice(0, 128).join("").trim();
}
