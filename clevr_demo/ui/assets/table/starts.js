// Grids to begin with: a click hands over the form's fields, and the objects for where none are ticked.
element.addEventListener('click', (event) => {
  const { start } = event.target.closest('[data-start]')?.dataset ?? {};
  if (!start) return;
  props.value = { form: props.forms[start], objects: props.objects };
  trigger('select');
});
