/* The page's module loader and its event-carrying models, as far as wa-js touches them.
 *
 * wa-js starts when `window.__d` and `window.require` are assigned, lists `require('__debug').modulesMap`,
 * and reads a module's exports through `importNamespace`. */
(() => {
  'use strict';

  const modulesMap = Object.create(null);

  function define(id, factory) {
    modulesMap[id] = { id, factory, exports: null, loaded: false };
  }

  function load(id) {
    const module = modulesMap[id];
    if (!module) throw new Error(`Requiring unknown module "${id}"`);
    if (!module.loaded) {
      module.loaded = true;
      module.exports = module.factory();
    }
    return module.exports;
  }

  function open() {
    window.ErrorGuard = { skipGuardGlobal() {} };
    window.importNamespace = load;
    window.__d = define;
    window.require = (id) => (id === '__debug' ? { modulesMap } : load(id));
  }

  class EventEmitter {
    on(names, callback, context) {
      if (typeof callback !== 'function') throw new TypeError('Callback parameter passed is not a function');
      this._listeners ||= Object.create(null);
      for (const name of String(names).split(/\s+/)) (this._listeners[name] ||= []).push({ callback, context });
      return this;
    }

    once(name, callback, context) {
      const wrapped = (...data) => {
        this.off(name, wrapped);
        callback.apply(context || this, data);
      };
      wrapped.original = callback;
      return this.on(name, wrapped, context);
    }

    off(name, callback) {
      const known = this._listeners?.[name];
      if (!known) return this;
      const stays = (one) => one.callback !== callback && one.callback.original !== callback;
      this._listeners[name] = callback ? known.filter(stays) : [];
      return this;
    }

    trigger(name, ...data) {
      this._tell(name, data);
      if (name !== 'all') this._tell('all', [name, ...data]);
      return this;
    }

    _tell(name, data) {
      for (const { callback, context } of (this._listeners?.[name] || []).slice()) {
        try {
          callback.apply(context || this, data);
        } catch (error) {
          console.error('[standin] listener', name, error);
        }
      }
    }

    listenTo(other, name, callback) {
      other.on(name, callback, this);
      return this;
    }

    stopListening() {
      return this;
    }
  }

  /* Every attribute is an accessor, so that `model.ack = 2` fires change:ack. */
  class BaseModel extends EventEmitter {
    constructor(properties = {}, options = {}) {
      super();
      this.attributes = {};
      if (options.collection) this.collection = options.collection;
      this.initialize(properties);
      for (const name of Object.keys(properties)) this._attribute(name, properties[name]);
    }

    initialize() {}

    _attribute(name, value) {
      if (!Object.prototype.hasOwnProperty.call(this, name)) {
        Object.defineProperty(this, name, {
          configurable: true,
          enumerable: true,
          get: () => this.attributes[name],
          set: (next) => this.set(name, next),
        });
      }
      this.attributes[name] = value;
    }

    set(name, value) {
      if (name && typeof name === 'object') {
        // All of them before any event, so that a listener sees the whole new state.
        const before = { ...this.attributes };
        for (const one of Object.keys(name)) this._attribute(one, name[one]);
        for (const one of Object.keys(name)) this._changed(one, name[one], before[one]);
        return this;
      }
      const before = this.attributes[name];
      this._attribute(name, value);
      this._changed(name, value, before);
      return this;
    }

    _changed(name, value, before) {
      if (before === value) return;
      this.trigger(`change:${name}`, this, value, before);
      this.trigger('change', this);
      this.collection?.trigger(`change:${name}`, this, value, before);
    }

    get(name) {
      return this[name];
    }

    unset(name) {
      this.attributes[name] = undefined;
    }

    toJSON() {
      return { ...this.attributes };
    }

    serialize() {
      return this.toJSON();
    }
  }

  function keyOf(thing) {
    if (thing == null) return undefined;
    if (typeof thing === 'string') return thing;
    if (typeof thing._serialized === 'string') return thing._serialized;
    return thing.id === undefined ? String(thing) : keyOf(thing.id);
  }

  class BaseCollection extends EventEmitter {
    constructor(models, options = {}) {
      super();
      this._models = [];
      this._index = new Map();
      this.parent = options.parent;
    }

    get length() {
      return this._models.length;
    }

    add(value, options = {}) {
      return Array.isArray(value) ? value.map((one) => this._addOne(one, options)) : this._addOne(value, options);
    }

    _addOne(value, options) {
      const key = keyOf(value);
      const known = this._index.get(key);
      if (known) {
        if (!(value instanceof BaseModel) && options.merge !== false) known.set(value);
        return known;
      }
      const Model = this.constructor.model || BaseModel;
      const model = value instanceof BaseModel ? value : new Model(value, { collection: this });
      model.collection ||= this;
      this._models.push(model);
      this._index.set(key, model);
      this.trigger('add', model, this, options);
      return model;
    }

    remove(value) {
      const key = keyOf(value);
      const model = this._index.get(key);
      if (!model) return undefined;
      this._index.delete(key);
      this._models = this._models.filter((one) => one !== model);
      this.trigger('remove', model);
      return model;
    }

    get(id) {
      return this._index.get(keyOf(id));
    }

    assertGet(id) {
      const model = this.get(id);
      if (!model) throw new Error(`not found ${keyOf(id)}`);
      return model;
    }

    async find(id) {
      return this.get(id) || this.add({ id });
    }

    findFirst(test) {
      return this._models.find(test);
    }

    at(position) {
      return this._models[position];
    }

    last() {
      return this._models[this._models.length - 1];
    }

    getModelsArray() {
      return this._models;
    }

    toArray() {
      return this._models.slice();
    }

    map(each) {
      return this._models.map(each);
    }

    filter(test) {
      return this._models.filter(test);
    }

    forEach(each) {
      this._models.forEach(each);
    }

    some(test) {
      return this._models.some(test);
    }

    isModel(thing) {
      return thing instanceof BaseModel;
    }
  }

  /* wa-js knows WhatsApp's collection class by a sentence in its source text. */
  class Collection extends BaseCollection {
    static toString() {
      return 'class Collection { "Collection initialized without model" }';
    }
  }

  window.Standin = { define, load, open, keyOf, EventEmitter, BaseModel, BaseCollection, Collection };
})();
