/** How a process ended that was ended by a signal, in words that follow its name. */
export function killedBy(signal: string): string {
  return `was killed by ${signal}${signal === 'SIGKILL' ? ', as the kernel does where memory runs out' : ''}`;
}
