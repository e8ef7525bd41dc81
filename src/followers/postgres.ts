/** Keeps records, their detections, events and cameras in the tables of a PostgreSQL, to be asked in SQL. */
import { LookoutError } from '../errors.ts';
import type { Follower, FollowerContext } from '../types.ts';
import { loadedLater } from './common/loaded-later.ts';
import { readAddress, shown, type Address } from './postgres/address.ts';
import { faultOf, SETTINGS, type PostgresSettings } from './postgres/settings.ts';

export const summary = 'tables of a PostgreSQL, with PostGIS where it is there';
export const settings = SETTINGS;
export const secrets = ['url'];
/** They fill columns of the events that are there. */
export const takesReviews = true;
export const fault = faultOf;

export const target = ({ url }: PostgresSettings): string => shown(addressOf(url));

export function create(context: FollowerContext<PostgresSettings>): Follower {
  const address = addressOf(context.settings.url);
  return loadedLater(async () => (await import('./postgres/delivery.ts')).createDelivery(address, context));
}

function addressOf(url: string): Address {
  const address = readAddress(url);
  if (typeof address === 'string') throw new LookoutError('config_invalid', address);
  return address;
}
