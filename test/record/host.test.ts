/** Which of a host's addresses stands in records. */
import type { NetworkInterfaceInfo } from 'node:os';
import { expect, it, onTestFinished, vi } from 'vitest';

import { createLog, silentLog } from '../../src/lib/log.ts';
import { chooseAddress, createHostAddress, defaultInterface } from '../../src/record/host.ts';

const INTERFACES = {
  lo: [info('127.0.0.1', 'IPv4', true), info('::1', 'IPv6', true)],
  docker0: [info('172.17.0.1', 'IPv4')],
  eth0: [info('fe80::1', 'IPv6'), info('2001:db8::7', 'IPv6'), info('192.168.1.101', 'IPv4')],
  wlan0: [info('169.254.7.7', 'IPv4'), info('2001:db8::9', 'IPv6')],
};

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0100A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	0101A8C0	0003	0	0	100	00000000	0	0	0
eth0	0001A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
`;

it.each([
  ['auto', 'eth0', '192.168.1.101'],
  ['auto', null, '172.17.0.1'],
  ['auto', 'wlan0', '172.17.0.1'],
  ['wlan0', 'eth0', '2001:db8::9'],
  ['lo', 'eth0', null],
  ['wlan1', 'eth0', null],
  ['eth0.100', 'eth0', null],
  ['203.0.113.9', 'eth0', '203.0.113.9'],
  ['cams.example.org', 'eth0', 'cams.example.org'],
  ['camserver', 'eth0', null],
  ['127.0.1.1', 'eth0', null],
])('for the setting %s and the default route %s is %s', (setting, preferred, address) => {
  expect(chooseAddress(setting, INTERFACES, preferred)).toBe(address);
});

it('is none on a host with loopback and link-local addresses only', () => {
  expect(chooseAddress('auto', { lo: INTERFACES.lo, eth0: [info('fe80::1', 'IPv6'), info('169.254.1.1', 'IPv4')] }, null)).toBeNull();
});

it('takes the default route with the lowest metric', () => {
  expect(defaultInterface(ROUTES)).toBe('eth0');
  expect(defaultInterface('')).toBeNull();
});

it('is looked up again after a minute and warned of once when there is none', () => {
  const lines: string[] = [];
  const answers = [null, '192.0.2.1', null];
  let time = 0;
  const host = createHostAddress({
    setting: 'auto', monotonic: () => time, look: () => answers.shift() ?? null,
    log: createLog({ level: 'warn', format: 'text', write: (line) => lines.push(line) }),
  });
  expect(host.current()).toBeNull();
  time = 59_000;
  expect(host.current()).toBeNull();
  time = 60_000;
  expect(host.current()).toBe('192.0.2.1');
  time = 120_000;
  expect(host.current()).toBeNull();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('host_ip');
});

it('is looked up again after a minute also where the clock was set back', () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  onTestFinished(() => { vi.useRealTimers(); });
  const answers = [null, '192.0.2.1'];
  const host = createHostAddress({ setting: 'auto', look: () => answers.shift() ?? null, log: silentLog });
  expect(host.current()).toBeNull();
  vi.advanceTimersByTime(60_000);
  vi.setSystemTime(Date.now() - 3_600_000);
  expect(host.current()).toBe('192.0.2.1');
});

it('of this machine is never a loopback address', () => {
  const address = createHostAddress({ setting: 'auto', log: createLog({ level: 'error', format: 'text', write: () => undefined }) }).current();
  expect(address ?? '').not.toMatch(/^(127\.|::1$)/);
});

function info(address: string, family: 'IPv4' | 'IPv6', internal = false): NetworkInterfaceInfo {
  const shared = { address, netmask: '', mac: '', internal, cidr: null };
  return family === 'IPv4' ? { ...shared, family } : { ...shared, family, scopeid: 0 };
}
