// Where a form that was sent is wrong: whoever sent it is brought there, whatever block it lies in.
import { tick } from 'svelte';

/** Opens the blocks around the first field that is marked as wrong, once it is marked, and puts the focus on it. */
export async function toFirstWrong(event: SubmitEvent): Promise<void> {
  const form = event.currentTarget;
  await tick();
  if (!(form instanceof HTMLFormElement)) return;
  const field = form.querySelector<HTMLElement>('[aria-invalid="true"]');
  for (let block = field?.closest('details'); block;) {
    block.open = true;
    block = block.parentElement?.closest('details') ?? undefined;
  }
  field?.focus();
}
