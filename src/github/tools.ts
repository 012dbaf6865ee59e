import { setTimeout as pause } from 'node:timers/promises';
import { getExecOutput } from '@actions/exec';
import * as cache from '@actions/tool-cache';
import type { RunShortCommand, ToolCache } from '../ports.js';

const LONGEST_SHORT_COMMAND_MS = 60_000;

/** The runner's tool cache. */
export const githubToolCache: ToolCache = {
  find: (tool, version) => {
    const directory = cache.find(tool, version);
    return directory === '' ? undefined : directory;
  },
  download: (url) => cache.downloadTool(url),
  extract: (archive, kind) => (kind === 'zip' ? cache.extractZip(archive) : cache.extractTar(archive)),
  store: (directory, tool, version) => cache.cacheDir(directory, tool, version),
};

/**
 * Short commands, whose output is read and not logged. Without `input`: a pipe that a program has left would end the whole
 * action with EPIPE. One that hangs is given up; the runner ends it with the job.
 */
export const runShortCommand: RunShortCommand = async (executable, args, environment) => {
  const running = getExecOutput(`"${executable}"`, [...args], {
    env: { ...environment },
    ignoreReturnCode: true,
    silent: true,
  });
  const timeUp = pause(LONGEST_SHORT_COMMAND_MS, undefined, { ref: false }).then(() => {
    throw new Error(`no end within ${LONGEST_SHORT_COMMAND_MS / 1000} s`);
  });
  return Promise.race([running, timeUp]);
};
