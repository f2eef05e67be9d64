// What the page kept when it was left, where this is a reload of it: what stood there, and what was being drawn.
const left = storage.session.get('clevr-duel.left');
storage.session.remove('clevr-duel.left');
return [performance.getEntriesByType('navigation')[0]?.type === 'reload' ? (left ?? '') : ''];
