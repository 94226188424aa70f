/** What one process has learned about tokens: how far input estimates are off, and how much models write. */
export interface Estimates {
  /** Tokens a request is expected to use. */
  expect(request: ExpectedRequest): ExpectedTokens;
  /** Notes what an answer really took, to expect the next better. */
  learn(real: RealTokens): void;
}

/** See `Estimates.expect`. */
export interface ExpectedRequest {
  readonly connectionId: string;
  readonly resourceId: string;
  readonly model: string;
  /** The raw estimate, in tokens. */
  readonly inputTokens: number;
  /** The request's own bound of output tokens, all answers together. */
  readonly maxOutputTokens: number | undefined;
  /** False for operations that write no text. */
  readonly writes: boolean;
  /** `learned` expects the mean of earlier answers, `max` the most the request allows. */
  readonly reservation: "learned" | "max";
  /** Mean taken until there are samples enough. */
  readonly outputTokensBeforeLearning: number;
}

/** Expected tokens: whole numbers. */
export interface ExpectedTokens {
  readonly input: number;
  readonly output: number;
}

/** See `Estimates.learn`; what the provider did not report is undefined. */
export interface RealTokens {
  readonly connectionId: string;
  readonly resourceId: string;
  readonly model: string;
  /** The raw estimate the request was given; undefined when none was made. */
  readonly estimatedInputTokens: number | undefined;
  readonly inputTokens: number | undefined;
  /** Reasoning included. */
  readonly outputTokens: number | undefined;
}

/** Weight of the newest sample in every moving average. */
const weight = 0.1;
const samplesBeforeLearning = 10;
/** Reserved for the output of a request without a bound when the most is to be reserved. */
const unboundedOutputTokens = 4096;
const leastFactor = 0.5;
const greatestFactor = 3;
/** Pairs remembered; the one learned first gives way, as models come and go. */
const maxPairs = 10_000;

interface Mean {
  value: number;
  samples: number;
}

/** Creates the estimates of one process, which begin with nothing learned. */
export function createEstimates(): Estimates {
  const factors = new Map<string, Mean>();
  const outputs = new Map<string, Mean>();
  return {
    expect(request) {
      const factor = factors.get(pair(request.connectionId, request.model))?.value ?? 1;
      const input = Math.ceil(request.inputTokens * factor);
      if (!request.writes) return { input, output: 0 };
      const { maxOutputTokens: bound = Infinity, reservation } = request;
      if (reservation === "max") {
        return { input, output: bound === Infinity ? unboundedOutputTokens : Math.ceil(bound) };
      }
      const learned = outputs.get(pair(request.resourceId, request.model));
      const mean = learned && learned.samples >= samplesBeforeLearning
        ? learned.value
        : request.outputTokensBeforeLearning;
      return { input, output: Math.ceil(Math.min(bound, mean)) };
    },
    learn(real) {
      const { estimatedInputTokens, inputTokens, outputTokens } = real;
      if (estimatedInputTokens && inputTokens) {
        const ratio = inputTokens / estimatedInputTokens;
        const sample = Math.min(greatestFactor, Math.max(leastFactor, ratio));
        note(factors, pair(real.connectionId, real.model), sample, 1);
      }
      if (outputTokens !== undefined) {
        note(outputs, pair(real.resourceId, real.model), outputTokens, undefined);
      }
    },
  };
}

function pair(id: string, model: string): string {
  return `${id} ${model}`;
}

/** @param start where the average begins; undefined lets it begin at the first sample */
function note(
  means: Map<string, Mean>,
  key: string,
  sample: number,
  start: number | undefined,
): void {
  const known = means.get(key);
  if (known) {
    known.value += weight * (sample - known.value);
    known.samples++;
    return;
  }
  if (means.size >= maxPairs) means.delete(means.keys().next().value!);
  means.set(key, {
    value: start === undefined ? sample : start + weight * (sample - start),
    samples: 1,
  });
}
