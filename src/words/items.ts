/** What an item of the log of events is: an entry of an event, or what somebody says of one. Others sum up a day. */
import type { Item } from '../types.ts';

export const isEntry = ({ log, value }: Item): boolean => log === 'events' && value['kind'] === 'event';

export const isReview = ({ log, value }: Item): boolean => log === 'events' && value['kind'] === 'review';
