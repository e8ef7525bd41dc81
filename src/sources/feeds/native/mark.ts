/** What is about to be done in native code: told before it is, for whoever finds that this process has died in it. */
export type Mark = (step: string) => void;
