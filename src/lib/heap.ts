/** How V8 collects garbage in a process that passes on bytes. */
import { setFlagsFromString } from 'node:v8';

/**
 * Where little is computed and much is passed on, V8 lets its heap grow by a few megabytes only before it looks through all of it
 * again, and buffers of the network count: with 100 pictures of 200 kB a second four times a second, which was two fifths of what
 * they cost. So it may grow as far as where much is computed: to four times what is in use.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=300');
}
