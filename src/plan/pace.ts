/** Of the rate limit, what the gate takes for itself: other callers share the bucket. */
const SHARE = 0.9;
/** Below this share of the limit everything may be sent as it comes. */
const BURST_SHARE = 0.8;

/** How many calls a second fit under a limit a minute; undefined when so many fit as they come. */
export function pacedRate(perMinute: number, calls: number): number | undefined {
  return perMinute <= 0 || calls <= perMinute * BURST_SHARE ? undefined : (perMinute * SHARE) / 60;
}
