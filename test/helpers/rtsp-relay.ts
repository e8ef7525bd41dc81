/** Stands between a capture and the demo camera: hears what is asked, and may change what the camera says and sends. */
import type { Packet } from '../../src/demo/pieces.ts';
import { type PacketRule, type Relay, type Rules, startRelay } from '../../src/demo/relay.ts';
import { onRtp, stamped } from '../../src/demo/rtp.ts';

export interface RtspChanges {
  /** How the camera describes itself. */
  readonly describe?: (sdp: string) => string;
  /** The head of its answer to PLAY. */
  readonly play?: (head: string) => string;
  /** The time stamp of an RTP packet that comes so long after the first one. */
  readonly stamp?: (timestamp: number, sinceMs: number) => number;
  /** Packets are kept back for so long after the first one, and then come at once. */
  readonly keptBackMs?: number;
}

export async function startRtspRelay(camera: string, changes: RtspChanges = {}): Promise<Relay> {
  const relay = await startRelay(camera);
  await relay.become(rulesOf(changes));
  return relay;
}

function rulesOf({ describe = same, play = same, stamp, keptBackMs }: RtspChanges): Rules {
  return {
    changes: (head, body) => (/^(?:rtp-info|range):/im.test(head) ? [play(head), body] : [head, body === '' ? body : describe(body)]),
    ...(stamp && { packets: () => onRtp((rtp, sinceMs) => [stamped(rtp, stamp(rtp.timestamp, sinceMs))]) }),
    ...(keptBackMs !== undefined && { packets: () => keptBack(keptBackMs) }),
  };
}

const same = (text: string): string => text;

function keptBack(forMs: number): PacketRule {
  let kept: Packet[] = [];
  return (packet, sinceMs) => {
    kept.push(packet);
    if (sinceMs < forMs) return [];
    const all = kept;
    kept = [];
    return all.map(({ bytes }) => bytes);
  };
}
