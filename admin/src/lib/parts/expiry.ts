/** Choices for how long something is valid. */
export const expiryChoices = [
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "a year" },
  { days: 0, label: "without end" },
] as const;

/** The end of a number of days from now; null for 0. */
export function expiryAfter(days: number, now: number): string | null {
  return days === 0 ? null : new Date(now + days * 86_400_000).toISOString();
}

/** A time as a `datetime-local` field holds it, and back. */
export const localTime = {
  show(at: string | null): string {
    if (!at) return "";
    const date = new Date(at);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  },
  read(text: string): string | null {
    return text === "" || Number.isNaN(Date.parse(text)) ? null : new Date(text).toISOString();
  },
};
