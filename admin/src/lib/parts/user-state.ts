import type { User } from "@vmx/sdk";

/** The state of a user in a word. */
export const userStates: Readonly<
  Record<User["state"], { readonly kind: "good" | "warn" | "off"; readonly text: string }>
> = {
  ACTIVE: { kind: "good", text: "Active" },
  INACTIVE: { kind: "off", text: "Inactive" },
  CHANGE_PASSWORD: { kind: "warn", text: "Must change password" },
};
