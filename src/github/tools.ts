import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
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
 * Short commands, whose output is read and not logged. With `/dev/null` as stdin: a pipe that nobody reads any more
 * would end the whole action with EPIPE.
 */
export const runShortCommand: RunShortCommand = async (executable, args, environment) => {
  const child = spawn(executable, [...args], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONGEST_SHORT_COMMAND_MS,
  });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { exitCode: child.exitCode ?? 1, stdout, stderr };
};
