// Counted words: `#` in a form stands for the number, written as the language writes it.
type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

export function plural(forms: Forms, language = 'en'): (count: number) => string {
  const rules = new Intl.PluralRules(language);
  const digits = new Intl.NumberFormat(language);
  return (count) => (forms[rules.select(count)] ?? forms.other).replace('#', digits.format(count));
}
