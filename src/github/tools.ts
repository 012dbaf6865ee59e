import { getExecOutput } from '@actions/exec';
import * as cache from '@actions/tool-cache';
import type { RunShortCommand, ToolCache } from '../ports.js';

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

/** Short commands, whose output is read and not logged. */
export const runShortCommand: RunShortCommand = async (executable, args, environment) =>
  getExecOutput(`"${executable}"`, [...args], {
    env: { ...environment },
    ignoreReturnCode: true,
    silent: true,
    input: Buffer.alloc(0),
  });
