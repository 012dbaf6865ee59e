/** Binomial sums in whole numbers: the probability is p = numerator / denominator, and nothing is rounded. */
export class ExactBinomial {
  readonly #total: bigint;
  readonly #cumulated: bigint[] = [];

  constructor(
    readonly n: number,
    numerator: number,
    denominator: number,
  ) {
    const p = BigInt(numerator);
    const q = BigInt(denominator - numerator);
    this.#total = BigInt(denominator) ** BigInt(n);
    const powers = (base: bigint): bigint[] => {
      const all = [1n];
      for (let exponent = 1; exponent <= n; exponent += 1) all.push((all[exponent - 1] ?? 0n) * base);
      return all;
    };
    const [ofP, ofQ] = [powers(p), powers(q)];
    let choose = 1n;
    let sum = 0n;
    for (let k = 0; k <= n; k += 1) {
      sum += choose * (ofP[k] ?? 0n) * (ofQ[n - k] ?? 0n);
      this.#cumulated.push(sum);
      choose = (choose * BigInt(n - k)) / BigInt(k + 1);
    }
  }

  /** Whether P(X <= k) >= percent %, exactly. */
  atMostReaches(k: number, percent: number): boolean {
    return this.#below(k) * 100n >= BigInt(percent) * this.#total;
  }

  /** Whether P(X >= k) >= percent %, exactly. */
  atLeastReaches(k: number, percent: number): boolean {
    return (this.#total - this.#below(k - 1)) * 100n >= BigInt(percent) * this.#total;
  }

  /** P(X <= k) to about 15 digits. */
  atMost(k: number): number {
    return Number((this.#below(k) * 10n ** 18n) / this.#total) / 1e18;
  }

  #below(k: number): bigint {
    if (k < 0) return 0n;
    return this.#cumulated[Math.min(k, this.n)] ?? 0n;
  }
}
