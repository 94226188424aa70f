/** What processes share besides meters: values and counters with expiry, leases, publish/subscribe, heartbeats. */
export interface SharedState {
  /** True when several processes see the same state. */
  readonly shared: boolean;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** Adds to a counter and answers its new value; the expiry is set when the counter is created. */
  increment(key: string, by: number, ttlMs: number): Promise<number>;
  /** Takes or renews a lease; answers whether `owner` holds it now. */
  lease(name: string, owner: string, ttlMs: number): Promise<boolean>;
  release(name: string, owner: string): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
  /** Answers a function that ends the subscription. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  /** Says that a process lives. */
  heartbeat(processId: string): Promise<void>;
  /** Processes with the age of their last heartbeat in milliseconds. */
  processes(): Promise<readonly { readonly processId: string; readonly ageMs: number }[]>;
  close(): Promise<void>;
}
