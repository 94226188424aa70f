/** Something a combobox offers. */
export interface ComboboxOption {
  readonly value: string;
  /** Shown in place of the value. */
  readonly label?: string;
  /** Options of a group stand together below its name. */
  readonly group?: string;
  /** A few faint words at the end. */
  readonly note?: string;
}
