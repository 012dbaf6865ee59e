import { SeededRandom } from '../../src/load/seeded-random.js';
import type { Spread } from './options.js';

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** What a simulated deployment draws by chance: the same in every run of a seed. */
export class Random extends SeededRandom {
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  logNormal({ median, sigma }: Spread): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return median * Math.exp(sigma * normal);
  }

  alphanumeric(length: number): string {
    return Array.from({ length }, () => ALPHANUMERIC.charAt(this.integer(ALPHANUMERIC.length))).join('');
  }

  uuid(): string {
    const hex = Array.from({ length: 32 }, (_, index) => {
      if (index === 12) return '4';
      const digit = this.integer(16);
      return (index === 16 ? (digit & 3) | 8 : digit).toString(16);
    }).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }
}
