// Back and Forward change the address without loading the page: what stands there is asked for again.
window.addEventListener('popstate', () => {
  const query = location.search.slice(1);
  if (!new URLSearchParams(query).has('objects')) return;
  props.value = query;
  trigger('select');
});
