// What the browser keeps for this page. Where it keeps nothing, as in a frame whose storage is denied, or has no room
// left, the page remembers for as long as it is open; all components share that memory. `session` is this tab's alone.
const storage = (globalThis.clevrStorage ??= (() => {
  const guarded = (place) => {
    const memory = new Map();
    const attempt = (act) => {
      try {
        return act(globalThis[place]);
      } catch {
        return undefined;
      }
    };
    return {
      get: (key) => memory.get(key) ?? attempt((kept) => kept.getItem(key)) ?? null,
      // Whether the browser keeps it, too.
      set(key, text) {
        const kept = attempt((place) => (place.setItem(key, text), true)) ?? false;
        if (kept) memory.delete(key);
        else memory.set(key, text);
        return kept;
      },
      remove(key) {
        memory.delete(key);
        attempt((kept) => kept.removeItem(key));
      },
    };
  };
  return { ...guarded('localStorage'), session: guarded('sessionStorage') };
})());
