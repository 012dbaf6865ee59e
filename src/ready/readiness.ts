import type { Driver } from '../plan/plan-types.js';

/** One of READY's checks; a refusal keeps the load from starting. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'refused';
  readonly message: string;
}

export const ok = (name: string, message: string): Check => ({ name, status: 'ok', message });
export const warned = (name: string, message: string): Check => ({ name, status: 'warning', message });
export const refused = (name: string, message: string): Check => ({ name, status: 'refused', message });

/** The check that says whether the CLI's browser suite runs, or why it is left out. */
export const BROWSER_CHECK = 'browser suite';

/** Which way a run takes, and why: shown in the summary. */
export interface DriverChoice {
  readonly driver: Exclude<Driver, 'auto'>;
  readonly reason: string;
}

/** What READY found: also the file readiness.json. */
export interface Readiness {
  readonly schema: 1;
  readonly checks: readonly Check[];
  readonly driver?: DriverChoice;
  readonly serverVersion?: string;
  readonly cliVersion?: string;
}

export const isReady = ({ checks }: Readiness): boolean => checks.every(({ status }) => status !== 'refused');

export const refusals = ({ checks }: Readiness): readonly string[] =>
  checks.filter(({ status }) => status === 'refused').map(({ message }) => message);
