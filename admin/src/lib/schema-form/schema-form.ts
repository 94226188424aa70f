import type { Schema } from "./schema.ts";

/** What the fields of one form share. */
export interface SchemaFormContext {
  readonly root: () => Schema;
  /** Stored secrets have to be entered again. */
  readonly reenter: () => boolean;
  /** What is wrong at a pointer, once it may be said. */
  readonly fault: (pointer: string) => string | undefined;
  /** A field has been left: from now on its faults are shown. */
  readonly leave: (pointer: string) => void;
  /** The text of a field cannot be read as a value. */
  readonly unread: (pointer: string, fault: string | undefined) => void;
}

/** Key of the context. */
export const formKey = Symbol("schema form");
