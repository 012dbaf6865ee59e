import { Random } from '../coder/random.js';
import { FAULTS, type Fault, type Moment } from './faults.js';
import { SETTINGS, type Setting } from './settings.js';

/** One run with one thing that goes wrong; the same for the same seed and number. */
export interface ChaosCase {
  readonly number: number;
  readonly seed: number;
  readonly fault: Fault;
  readonly setting: Setting;
  readonly moment: Moment;
  /** How long a fault of the deployment lasts that ends again. */
  readonly lastsMs: number;
  /** Bytes that the results directory may take on a full disk. */
  readonly diskBytes: number;
}

const LONGEST_FAULT_MS = 5000;
const SMALLEST_DISK = 8 * 1024;
const BIGGEST_DISK = 128 * 1024;

/** The boundaries between the stages of a run, each with some random time after it, and any time at all. */
const momentsOf = ({ lastPhase }: Setting, random: Random): readonly Moment[] => [
  { name: 'start', afterMs: random.integer(400) },
  { name: 'plan', pattern: /^::group::Plan/, afterMs: random.integer(50) },
  { name: 'readiness', pattern: /^::group::Readiness/, afterMs: random.integer(150) },
  { name: 'creating', pattern: /^::group::Create workspaces/, afterMs: random.integer(2500) },
  { name: 'last phase', pattern: lastPhase, afterMs: random.integer(2500) },
  { name: 'clean-up', pattern: /^::group::Clean up/, afterMs: random.integer(600) },
  { name: 'report', pattern: /^Verdict: /, afterMs: random.integer(60) },
  { name: 'any', afterMs: random.integer(9000) },
];

/** Every fault meets every setting and every moment in turn, so that few cases cover much. */
export function caseOf(number: number, seed: number): ChaosCase {
  const random = new Random(seed * 1_000_003 + number);
  const index = number - 1;
  const fault = pick(FAULTS, index);
  const needsCli = fault.kind === 'cli';
  const position = index % FAULTS.length;
  const settings = SETTINGS.filter(({ config }) => !needsCli || config.includes('driver: cli'));
  const round = Math.floor(index / FAULTS.length);
  const setting = pick(settings, position + round * 5);
  const moments = momentsOf(setting, random);
  return {
    number,
    seed,
    fault,
    setting,
    moment: pick(moments, position * 3 + round + seed),
    lastsMs: 500 + random.integer(LONGEST_FAULT_MS),
    diskBytes: SMALLEST_DISK + random.integer(BIGGEST_DISK - SMALLEST_DISK),
  };
}

function pick<T>(choices: readonly T[], index: number): T {
  const choice = choices[index % choices.length];
  if (choice === undefined) throw new Error('there is nothing to choose from');
  return choice;
}
