// What the page's components use of Gradio, without it: an element, props that can be watched, events, and a server, which
// here is the page's own engine.
const components = {};

function component(id, props, script) {
  const element = document.getElementById(id);
  const watchers = [];
  const listeners = [];
  const watched = new Proxy(props, {
    set(target, name, value) {
      target[name] = value;
      queueMicrotask(() => watchers.filter((one) => one.name === name).forEach((one) => one.act()));
      if (name === 'value') element.dispatchEvent(new CustomEvent('component:value'));
      return true;
    },
  });
  const server = {
    // While the engine comes, a scene that is moved waits for it.
    async repaint({ query }) {
      await clevrEngine.want(query, true);
      return clevrEngine.can(query, true) ? { run: await clevrEngine.draw(query, true), rest: 0 } : { rest: 0 };
    },
  };
  components[id] = { element, props: watched, on: (event, act) => listeners.push({ event, act }) };
  script(element, watched, (name, act) => watchers.push({ name, act }), (event) => listeners.filter((one) => one.event === event).forEach((one) => one.act()), server);
}
