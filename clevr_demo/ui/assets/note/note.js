// Sentences as paragraphs; set as text, so nothing that a link carries can become markup.
const body = element.querySelector('.note-body');

function show() {
  const lines = Array.isArray(props.value) ? props.value : [];
  body.replaceChildren(
    ...lines.map((line) => {
      const paragraph = document.createElement('p');
      paragraph.textContent = line;
      return paragraph;
    })
  );
}

watch('value', show);
show();
