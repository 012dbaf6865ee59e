import type { SuiteFlags } from '../config/schema.js';
import { seconds, type Seconds } from '../units.js';
import { numberFlag, textFlag } from './cli-suite.js';

/** What follows from the flags of the CLI's suites. */

export const sum = (...parts: readonly Seconds[]): Seconds =>
  seconds(parts.reduce((all, part) => all + part, 0));

/** Power users each own as many workspaces as the flag says; what does not divide evenly is left out. */
export function updatesUsers(flags: SuiteFlags): { users: number; workspaces: number } {
  const count = numberFlag(flags, 'workspace-count', 0);
  const each = Math.max(1, numberFlag(flags, 'power-user-workspaces', 1));
  const ofPowerUsers = Math.trunc((count * numberFlag(flags, 'power-user-percentage', 50)) / 100);
  const rest = ofPowerUsers % each;
  const regular = count - ofPowerUsers;
  return { users: (ofPowerUsers - rest) / each + regular, workspaces: count - rest };
}

export const prebuildsMade = (flags: SuiteFlags): number =>
  numberFlag(flags, 'num-templates', 1) *
  numberFlag(flags, 'num-presets', 1) *
  numberFlag(flags, 'num-preset-prebuilds', 1);

/** `START:END`, of which END is not among them. */
export function targetsOf(flags: SuiteFlags, all: number): number {
  const range = /^(\d+):(\d+)$/.exec(textFlag(flags, 'target-workspaces') ?? '');
  return range === null ? all : Math.max(0, Number(range[2]) - Number(range[1]));
}
