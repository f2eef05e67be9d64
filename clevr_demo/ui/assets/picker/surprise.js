() => {
  const names = [...document.querySelectorAll('#picker input[type="checkbox"]')].map((box) => box.value);
  const chosen = new Set();
  const wanted = 1 + Math.floor(Math.random() * 3);
  while (chosen.size < wanted) chosen.add(names[Math.floor(Math.random() * names.length)]);
  return [names.filter((name) => chosen.has(name))];
}
