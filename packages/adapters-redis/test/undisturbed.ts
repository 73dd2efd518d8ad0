const TRIES = 5;

/** A process of ours, or a gateway in this one, says that it went on without Redis. */
const WITHOUT = /do(?:es)? not answer|Redis cannot be used/;

/**
 * For what holds while Redis answers: no call waits for it longer than 50 ms, and on a machine that is too busy for that, a case shows what is done without it. One that failed and in which some process said so is tried
 * again, with new servers; any other has failed. `heard` is told what the processes say.
 */
export async function undisturbed(body: (heard: (line: string) => void) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    let isDisturbed = false;
    try {
      return await body((line) => void (isDisturbed ||= WITHOUT.test(line)));
    } catch (error) {
      if (!isDisturbed || tries === TRIES) throw error;
      process.stdout.write(`  Too busy for Redis within 50 ms: tried again (${tries}).\n`);
    }
  }
}
