import type { ApiClient, LogSink } from './api-client.js';
import { asJson, child, type Json, text } from './answers.js';
import { deadlineExceeded, type Frame, GoError } from './go-errors.js';
import { followLog } from './log-follower.js';

const QUEUE_LOOK_MS = 500;

export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(deadlineExceeded());
      return;
    }
    const abort = (): void => {
      clearTimeout(timer);
      reject(deadlineExceeded());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', abort, { once: true });
  });
}

export interface BuildWait {
  client: ApiClient;
  logs: LogSink;
  signal: AbortSignal;
  pollScale: number;
  /** Where the real code would have failed. */
  frame: Frame;
}

async function waitInQueue(wait: BuildWait, buildId: string): Promise<void> {
  wait.logs.write('Build is currently queued...');
  for (;;) {
    const build = asJson(await wait.client.get(`/api/v2/workspacebuilds/${buildId}`, wait.signal));
    if (text(child(build, 'job'), 'status') !== 'pending') break;
    wait.logs.write('.');
    await sleep(QUEUE_LOOK_MS * wait.pollScale, wait.signal);
  }
  wait.logs.write('\nBuild started! Streaming logs below:\n');
}

async function streamLogs(wait: BuildWait, buildId: string): Promise<void> {
  let stage = '';
  const path = `/api/v2/workspacebuilds/${buildId}/logs?follow`;
  const { reason } = await followLog(
    wait.client.options,
    path,
    (line) => {
      if (line.stage !== stage) {
        stage = line.stage;
        wait.logs.write(`\n${stage}\n`);
      }
      wait.logs.write(`\t${line.log_level}:\t${line.output}\n`);
    },
    wait.signal,
  );
  const error = `failed to get reader: received close frame: status = StatusNormalClosure and reason = "${reason}"`;
  wait.client.log('error reading from websocket', [['error', JSON.stringify(error)]]);
  if (wait.signal.aborted) throw deadlineExceeded();
}

/** Waits until a build has ended, writing its log; throws when it did not succeed. */
export async function waitForBuild(wait: BuildWait, buildId: string): Promise<Json> {
  await waitInQueue(wait, buildId);
  await streamLogs(wait, buildId);
  const build = asJson(await wait.client.get(`/api/v2/workspacebuilds/${buildId}`, wait.signal));
  const job = child(build, 'job');
  const status = text(job, 'status');
  if (status === 'succeeded') {
    wait.logs.write('\n\nBuild succeeded!\n');
    return build;
  }
  if (status === 'canceled') {
    wait.logs.write('\n\nBuild canceled.\n');
    throw new GoError('build canceled', wait.frame);
  }
  const error = text(job, 'error');
  wait.logs.write(`\n\nBuild failed with error "${error}".\nSee logs above for more details.\n`);
  throw new GoError(`build failed with status "${status}": ${error}`, wait.frame);
}
