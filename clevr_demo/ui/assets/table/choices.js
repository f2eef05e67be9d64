(ticked, chosen) => {
  // Only what is ticked can be taken out.
  const choices = ['nothing', ...(ticked ?? [])];
  const value = choices.includes(chosen) ? chosen : 'nothing';
  return { __type__: 'update', choices: choices.map((name) => [name, name]), value };
}
