// A button's work: busy while it runs, and its failure kept for the page to show.
import { asProblem, type Problem } from './api';

export class Action {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);

  /** Runs `work` unless it is already running; true when it went well. */
  async run(work: () => Promise<void>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    try {
      await work();
      return true;
    } catch (cause) {
      this.problem = asProblem(cause);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
