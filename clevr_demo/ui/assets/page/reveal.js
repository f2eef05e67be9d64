// Scrolls a place into what a panel at the window's foot leaves of it, and lets the page be scrolled as far as that needs.
function reveal(place, panel) {
  const below = innerHeight - panel.getBoundingClientRect().top;
  const covers = !panel.hidden && panel.offsetWidth > innerWidth / 2;
  document.documentElement.style.setProperty('--covered', covers ? `${below + 12}px` : '0px');
  if (!place) return;
  place.style.scrollMarginBottom = covers ? `${below + 12}px` : '';
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  place.scrollIntoView({ block: 'nearest', behavior: calm ? 'auto' : 'smooth' });
}
