/** The 1-based place of a quantile among n >= 1 ascending values: rank ceil(q n). */
export function nearestRank(n: number, q: number): number {
  // 1e-9 keeps 0.95 * 100 = 95.00000000000001 from becoming rank 96.
  return Math.min(n, Math.max(1, Math.ceil(q * n - 1e-9)));
}
