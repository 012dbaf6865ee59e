import { bucketAt } from '../judge/buckets.js';
import { formatBucket, formatQuantity } from '../judge/format.js';
import { quantileRanks } from '../judge/quantile.js';
import type { ComparedQuantile, ComparedRoute, ServerComparison } from '../judge/server-comparison.js';
import { sumCodes, sumLatencies, type RouteCounts } from '../measure/server-counts.js';
import {
  answeringRoutes,
  apiRoutes,
  isStream,
  requestsOf,
  serverErrorsOf,
  type ServerDelta,
} from '../measure/server-latency.js';
import { isUnavailable, type Unavailable } from '../server-evidence.js';
import { cell, code, table } from './markdown.js';

/** The server's own view of the load. */
export interface ServerReport {
  readonly delta: ServerDelta | Unavailable;
  /** Which processes ended, and which began since; absent where none did. */
  readonly restarts?: string;
  /** Only where virtual users were there to compare with. */
  readonly comparison?: ServerComparison | Unavailable;
}

const MOST_ROUTES = 20;
const count = (value: number): string => formatQuantity(value, 'count');
const milliseconds = (value: number): string => formatQuantity(value / 1000, 'seconds');

/** What coderd says of its own answers during the load, or why it says nothing. */
export function serverSentence({ delta, restarts }: ServerReport): string {
  const began = restarts === undefined ? '' : `${restarts}. `;
  if (isUnavailable(delta)) return began + unavailableSentence(delta);
  const codes = sumCodes(apiRoutes(delta).map((route) => route.codes));
  const processes = delta.processes === 1 ? 'coderd' : `The ${delta.processes} replicas of coderd`;
  const latency = sumLatencies(answeringRoutes(delta).map((route) => route.latency));
  const quantiles =
    latency.total === 0
      ? ''
      : `; by its own histogram the P95 was ${bucketText(latency, 0.95)} and the P99 ${bucketText(latency, 0.99)}`;
  return `${began}${processes} answered ${count(requestsOf({ codes }))} API requests of everybody in ${formatQuantity(delta.seconds, 'seconds')}, ${errorText({ codes })}${quantiles} (without streams, and without our own reading of the metrics).`;
}

function unavailableSentence({ unavailable, reason }: Unavailable): string {
  return unavailable === 'skipped'
    ? `Its latencies are skipped (${reason}).`
    : `Its latencies could not be measured: ${reason}.`;
}

function errorText(route: Pick<RouteCounts, 'codes'>): string {
  const errors = serverErrorsOf(route);
  if (errors === 0) return 'none with a status of 500 or above';
  const codes = Object.entries(route.codes).filter(([status]) => Number(status) >= 500);
  return `${count(errors)} of them (${formatQuantity(errors / requestsOf(route), 'ratio')}) with a status of 500 or above: ${codes.map(([status, n]) => `${count(n)} × ${status}`).join(', ')}`;
}

function bucketText(latency: RouteCounts['latency'], q: number): string {
  if (latency.total === 0) return '';
  return intervalText(bucketAt(latency, quantileRanks(latency.total, q).rank));
}

const intervalText = ({ above, upTo }: { readonly above: number; readonly upTo: number }): string =>
  formatBucket({ above, ...(Number.isFinite(upTo) && { upTo }) }, 'seconds');

/** The routes that were called most, each with the bucket that its quantiles lie in. */
export function serverTable({ delta }: ServerReport): string | undefined {
  if (isUnavailable(delta) || delta.routes.length === 0) return undefined;
  const rows = delta.routes
    .slice(0, MOST_ROUTES)
    .map((route) => [
      code(`${route.method} ${route.path}`),
      count(requestsOf(route)),
      ...[0.95, 0.99].map((q) => (isStream(route) ? '' : bucketText(route.latency, q))),
      count(serverErrorsOf(route)),
    ]);
  const more = delta.routes.length - rows.length;
  return `${table(['Route', 'Requests', 'P95', 'P99', '≥ 500'], rows, ['left', 'right', 'right', 'right', 'right'])}\n\n${more > 0 ? `…and ${more} more, in evidence/server-latency.json. ` : ''}Requests of everybody, by coderd's own count. Of a quantile only its bucket is known; WebSockets and other streams have none.`;
}

/** Whether client and server agree, and by how much they do not; empty where nothing was to be compared. */
export function comparisonSentences({ comparison }: ServerReport): readonly string[] {
  // What the server does not tell is said by the sentence on the server alone.
  if (comparison === undefined || isUnavailable(comparison)) return [];
  const { pooled, uncounted } = comparison;
  return [
    ...agreement(pooled),
    shareSentence(comparison),
    ...(pooled.missing > 0
      ? [
          `${count(pooled.missing)} calls were answered to us that coderd does not count: something in front of it answers too, or not all of its processes were seen.`,
        ]
      : []),
    ...(uncounted.length > 0 ? [`coderd counted nothing of our calls of ${uncounted.join(', ')}.`] : []),
  ];
}

function agreement(pooled: ComparedRoute): string[] {
  const { quantiles, ours, share } = pooled;
  if (quantiles.length === 0)
    return ['There is nothing to compare: coderd counted none of the calls that were judged.'];
  const within = quantiles.filter(({ outsideByMs, oursMs }) => outsideByMs === 0 && Number.isFinite(oursMs));
  const above = quantiles.some(({ outsideByMs, oursMs }) => outsideByMs > 0 && Number.isFinite(oursMs));
  const below = quantiles.some(({ outsideByMs }) => outsideByMs < 0);
  const agreed = within.map(
    (quantile) => `our ${quantile.name} of ${milliseconds(quantile.oursMs)} lies in ${serverText(quantile)}`,
  );
  return [
    ...(agreed.length > 0 ? [`Client and server agree: ${agreed.join(', ')}.`] : []),
    ...quantiles
      .filter((quantile) => !within.includes(quantile))
      .map((quantile) => disagreement(quantile, ours)),
    ...(above
      ? [
          `coderd sees neither the network and proxies, nor how long a request waits before it takes it, nor our wait for a free connection (up to ${milliseconds(ours.connectionWaitP95Ms)} in 95 % of the calls).`,
        ]
      : []),
    ...(below
      ? [
          `The requests of others (${percent(1 - ratio(share))}) and our first visits were slower than what was judged.`,
        ]
      : []),
  ];
}

function disagreement(
  { name, oursMs, outsideByMs, ...buckets }: ComparedQuantile,
  ours: ComparedRoute['ours'],
): string {
  const server = serverText(buckets);
  if (!Number.isFinite(oursMs))
    return `Our ${name} does not exist, since ${count(ours.failed)} of ${count(ours.n)} calls failed; the server's own is ${server}.`;
  return outsideByMs < 0
    ? `Client and server disagree: our ${name} of ${milliseconds(oursMs)} lies below the server's own ${server}, by at least ${milliseconds(-outsideByMs)}.`
    : `Client and server disagree: our ${name} of ${milliseconds(oursMs)} lies above the server's own ${server}; at least ${milliseconds(outsideByMs)} are spent outside coderd.`;
}

const serverText = ({ aboveMs, upToMs }: Pick<ComparedQuantile, 'aboveMs' | 'upToMs'>): string =>
  intervalText({ above: aboveMs / 1000, upTo: upToMs / 1000 });

/** A process of ours may be seen by the server only in part, so that the share is above one. */
const ratio = ({ ours, server }: ComparedRoute['share']): number =>
  server === 0 ? 0 : Math.min(1, ours / server);

const percent = (share: number): string => formatQuantity(share, 'ratio');

function shareSentence({ pooled, share }: ServerComparison): string {
  return `Ours were ${percent(ratio(pooled.share))} of the ${count(pooled.share.server)} requests that coderd answered on these routes, and ${percent(ratio(share))} of all ${count(share.server)} requests to its API.`;
}

/** Each route with both views. */
export function comparisonTable({ comparison }: ServerReport): string | undefined {
  if (comparison === undefined || isUnavailable(comparison) || comparison.routes.length === 0)
    return undefined;
  const rows = comparison.routes.map((route) => [
    code(`${route.method ?? ''} ${route.path ?? ''}`),
    count(route.ours.n),
    ...['P95', 'P99'].map((name) => oursCell(route, name)),
    count(route.server.n),
    ...['P95', 'P99'].map((name) => serverCell(route, name)),
    percent(ratio(route.share)),
  ]);
  const header = ['Route', 'n, ours', 'P95', 'P99', "n, server's", 'P95', 'P99', 'Our share'];
  return `${table(header, rows, ['left', ...header.slice(1).map(() => 'right' as const)])}\n\nOurs are measured from the intended start, the wait for a free connection included, without each user's first visit; the server's are of everybody, from the request's arrival at coderd, and of a quantile only its bucket is known. Bold: ours lies outside it.`;
}

const quantileOf = ({ quantiles }: ComparedRoute, name: string): ComparedQuantile | undefined =>
  quantiles.find((quantile) => quantile.name === name);

function oursCell(route: ComparedRoute, name: string): string {
  const quantile = quantileOf(route, name);
  if (quantile === undefined) return '';
  const text = milliseconds(quantile.oursMs);
  return quantile.outsideByMs === 0 ? text : `**${text}**`;
}

function serverCell(route: ComparedRoute, name: string): string {
  const quantile = quantileOf(route, name);
  return quantile === undefined ? '' : cell(serverText(quantile));
}
