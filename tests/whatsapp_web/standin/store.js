/* WhatsApp's addresses, keys, models and what the page holds in memory and in its own database. */
(() => {
  'use strict';
  const { BaseModel, BaseCollection, EventEmitter, keyOf } = window.Standin;

  class Wid {
    constructor(id) {
      const parts = /^([^@]+)@(.+)$/.exec(id);
      if (!parts) throw new Error(`wid error: invalid wid ${id}`);
      const [user, device] = parts[1].split(':');
      this.user = user;
      this.server = parts[2];
      if (device !== undefined) this.device = Number(device);
      this._serialized = id;
    }

    equals(other) {
      return other != null && keyOf(other) === this._serialized;
    }

    isUser() {
      return ['c.us', 'lid', 'bot', 'hosted', 'hosted.lid'].includes(this.server);
    }

    isRegularUser() {
      return this.server === 'c.us';
    }

    isLid() {
      return this.server === 'lid';
    }

    isGroup() {
      return this.server === 'g.us';
    }

    isBroadcast() {
      return this.server === 'broadcast';
    }

    isNewsletter() {
      return this.server === 'newsletter';
    }

    isBot() {
      return this.server === 'bot';
    }

    isStatusV3() {
      return this._serialized === 'status@broadcast';
    }

    isStatus() {
      return this.isStatusV3();
    }

    isPSA() {
      return this._serialized === '0@c.us';
    }

    isServer() {
      return this._serialized === 'server@c.us';
    }

    isCompanion() {
      return Boolean(this.device);
    }

    getDeviceId() {
      return this.device || 0;
    }

    toJid() {
      return this._serialized.replace('@c.us', '@s.whatsapp.net');
    }

    toString() {
      return this._serialized;
    }

    toJSON() {
      return this._serialized;
    }

    static isXWid(server, wid) {
      return String(wid).endsWith(`@${server}`);
    }

    static isWid(wid) {
      return /^[^@]+@[\w.]+$/.test(String(wid));
    }

    static isUser(wid) {
      return Wid.isXWid('c.us', wid) || Wid.isXWid('lid', wid);
    }

    static isGroup(wid) {
      return Wid.isXWid('g.us', wid);
    }

    static isLid(wid) {
      return Wid.isXWid('lid', wid);
    }

    static equals(one, other) {
      return keyOf(one) === keyOf(other);
    }
  }

  const WidFactory = {
    createWid: (wid) => new Wid(keyOf(wid)),
    createUserWidOrThrow: (user, server = 'c.us') =>
      new Wid(String(user).includes('@') ? String(user) : `${user}@${server}`),
    createWidFromWidLike: (wid) => (wid instanceof Wid ? wid : new Wid(wid._serialized)),
    isWidlike: (wid) => wid instanceof Wid || Boolean(wid?.server && typeof wid._serialized === 'string'),
    toUserWidOrThrow: (wid) => new Wid(`${wid.user}@${wid.server}`),
    toUserLidOrThrow: (wid) => lidPnCache.getCurrentLid(wid),
    toGroupWid: (wid) => wid,
    toChatWid: (wid) => wid,
  };

  class MsgKey {
    constructor(parts) {
      if (!parts) throw new Error('MsgKey error: obj is null/undefined'); // wa-js looks for this sentence
      this.fromMe = parts.selfDir ? parts.selfDir === 'out' : parts.fromMe;
      this.remote = parts.remote || (this.fromMe ? parts.to : parts.from);
      this.id = parts.id;
      if (parts.participant) this.participant = parts.participant;
      const end = parts.participant ? [parts.participant] : [];
      this._serialized = [this.fromMe, this.remote, this.id, ...end].join('_');
    }

    toString() {
      return this._serialized;
    }

    equals(other) {
      return keyOf(other) === this._serialized;
    }

    clone() {
      return new MsgKey(this);
    }

    static fromString(text) {
      const [direction, remote, id, participant] = String(text).split('_');
      return new MsgKey({
        fromMe: direction === 'true',
        remote: new Wid(remote),
        id,
        participant: participant ? new Wid(participant) : undefined,
      });
    }

    static async newId() {
      const bytes = crypto.getRandomValues(new Uint8Array(9));
      return `3EB0${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase()}`;
    }
  }

  class ChatModel extends BaseModel {
    initialize() {
      this.presence = { hasData: false, chatstate: {}, subscribe: async () => {} };
      this.msgs = new ChatMsgsCollection(null, { parent: this });
    }
  }
  ChatModel.prototype.proxyName = 'chat';

  class MsgModel extends BaseModel {
    updateAck(ack) {
      this.ack = ack;
    }

    get sender() {
      return this.attributes.author || this.from;
    }

    msgContextInfo() {
      return { quotedStanzaID: this.id.id, quotedParticipant: this.from };
    }

    async downloadMedia() {
      const answer = await fetch(`/standin/media/${this.id.id}`);
      if (!answer.ok) return;
      const blob = new Blob([await answer.arrayBuffer()], { type: this.mimetype });
      this.mediaData.mediaBlob = { forceToBlob: () => blob };
    }
  }
  MsgModel.prototype.proxyName = 'msg';

  class ContactModel extends BaseModel {}
  ContactModel.prototype.proxyName = 'contact';

  class ChatCollection extends BaseCollection {}
  ChatCollection.model = ChatModel;
  class ChatMsgsCollection extends BaseCollection {}
  ChatMsgsCollection.model = MsgModel;
  class ContactCollection extends BaseCollection {}
  ContactCollection.model = ContactModel;

  class MsgCollection extends BaseCollection {
    async processMultipleMessages(chat, messages) {
      return messages.filter((message) => message.type !== 'protocol').map((message) => this.add(message));
    }

    hasSynced() {
      return true;
    }
  }
  MsgCollection.model = MsgModel;

  const ChatStore = new ChatCollection();
  const MsgStore = new MsgCollection();
  const ContactStore = new ContactCollection();

  /* Serialized key → what was stored, in the order of storing: the page's own database, as loaded at its start. */
  const database = new Map();

  const phones = new Map();
  const lids = new Map();
  const lidPnCache = {
    getPhoneNumber: (lid) => phones.get(keyOf(lid)),
    getCurrentLid: (phone) => lids.get(keyOf(phone)),
    getLidEntry: (lid) => (phones.has(keyOf(lid)) ? { lid, phoneNumber: phones.get(keyOf(lid)) } : undefined),
  };

  function link(phone, lid) {
    lids.set(phone, new Wid(lid));
    phones.set(lid, new Wid(phone));
  }

  /* WhatsApp moved chats with a person to the LID: a phone number opens the chat of its LID if there is one. */
  async function findOrCreateLatestChat(wid) {
    const lid = wid.server === 'c.us' ? lidPnCache.getCurrentLid(wid) : undefined;
    const known = ChatStore.get(wid) || (lid && ChatStore.get(lid));
    if (known) return { chat: { id: known.id }, created: false };
    const chat = ChatStore.add({ id: wid, unreadCount: 0, t: 0, isParentGroup: false, archive: false });
    return { chat: { id: chat.id }, created: true };
  }

  async function chatOf(address) {
    const { chat } = await findOrCreateLatestChat(new Wid(address));
    return ChatStore.get(chat.id);
  }

  async function findAround({ anchor, count, direction }) {
    const rows = [...database.values()].filter((row) => keyOf(row.id.remote) === keyOf(anchor.remote));
    const place = rows.findIndex((row) => row.id.equals(anchor));
    if (place < 0) return { messages: [], status: 404 };
    const many = Number.isFinite(count) ? count : rows.length;
    const found = direction === 'after'
      ? rows.slice(place + 1, place + 1 + many)
      : rows.slice(Math.max(0, place - many), place);
    return { messages: found.map((row) => ({ ...row })), status: 200 };
  }

  /* The message of a key, from the database into a collection of its own, as WhatsApp does to show it in its place. */
  function searchContext({ chat, msgKey }) {
    const collection = new ChatMsgsCollection(null, { parent: chat });
    const row = database.get(keyOf(msgKey));
    collection.loadAroundPromise = Promise.resolve().then(() => row && collection.add({ ...row }));
    return { collection, key: msgKey, chat };
  }

  Object.assign(window.Standin, {
    Wid, WidFactory, MsgKey, ChatModel, MsgModel, ContactModel, ChatCollection, ChatMsgsCollection, ContactCollection,
    MsgCollection, ChatStore, MsgStore, ContactStore, database, lidPnCache, link, chatOf, findOrCreateLatestChat,
    findAround, searchContext,
    Conn: new BaseModel({ ref: undefined, connected: false, platform: 'android', pushname: undefined, wid: undefined }),
    NetworkStatus: Object.assign(new BaseModel({ online: true }), { checkOnline() {} }),
    BackendEventBus: new EventEmitter(),
    LinkDeviceEvents: new EventEmitter(),
    history: { realProgress: 0, remainingPausedSeconds: 0 },
  });
})();
