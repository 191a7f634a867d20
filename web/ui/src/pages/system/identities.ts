// The table of who is known as whom at an upstream, as it is pasted or read from a file. Pure.

export interface Row {
  from: string;
  to: string;
}

/** A line for each person, "here,there"; a semicolon or a tab does as well. `wrong` is the first line that is none. */
export function tableOf(text: string): { rows: Row[]; wrong: number | null } {
  const rows: Row[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (!line.trim()) continue;
    const [, from, to] = /^([^,;\t]+)[,;\t](.+)$/u.exec(line.trim()) ?? [];
    if (!from?.trim() || !to?.trim()) return { rows: [], wrong: index + 1 };
    rows.push({ from: from.trim(), to: to.trim() });
  }
  return { rows, wrong: null };
}
