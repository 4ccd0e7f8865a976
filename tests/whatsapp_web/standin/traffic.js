/* What goes out of the page and comes in: messages, receipts, edits, and the questions to WhatsApp's servers. */
(() => {
  'use strict';
  const S = window.Standin;
  const { Wid, MsgKey, MsgStore, database, keyOf } = S;

  async function post(path, body = {}) {
    const answer = await fetch(`/standin/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`stand-in server: ${answer.status}`);
    return answer.json();
  }

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  /* Nobody waits for it: typing and the like are noted in their order of arrival. */
  async function tell(what, data = {}) {
    await post('told', { what, ...data });
  }

  function toAttributes(row) {
    const chat = new Wid(row.chat);
    const author = row.author ? new Wid(row.author) : undefined;
    const media = row.mimetype ? { mimetype: row.mimetype, filename: row.file_name, size: row.size } : {};
    return {
      id: new MsgKey({ fromMe: row.from_me, remote: chat, id: row.bare, participant: author }),
      from: row.from_me ? S.me() : chat,
      to: row.from_me ? chat : S.me(),
      author,
      self: row.from_me ? 'out' : 'in',
      type: row.type,
      body: row.body,
      caption: row.caption || undefined,
      t: row.t,
      ack: row.ack,
      notifyName: row.name || undefined,
      isNewMsg: row.is_new,
      ...media,
      ...(row.mimetype ? { mediaKey: 'key', directPath: '/media', mediaData: { ...media } } : {}),
    };
  }

  function toRow(data, extra = {}) {
    return {
      bare: data.id.id, from_me: true, chat: String(data.to), type: data.type, body: data.body ?? '', t: data.t,
      caption: data.caption ?? '', ack: 0, mimetype: data.mimetype ?? '', file_name: data.filename ?? '',
      author: data.id.participant ? String(data.id.participant) : '', ...extra,
    };
  }

  /* Silent: it is in the page's database, and nobody in the page was told. */
  async function takeIn(row, silent) {
    const chat = await S.chatOf(row.chat);
    const attributes = toAttributes(row);
    database.set(String(attributes.id), { ...attributes });
    chat.t = Math.max(chat.t || 0, row.t);
    if (!row.from_me) {
      chat.lastReceivedKey = attributes.id;
      chat.unreadCount = (chat.unreadCount || 0) + 1;
    }
    if (!silent) chat.msgs.add(MsgStore.add(attributes));
  }

  function amend(key, changes) {
    Object.assign(database.get(key) || {}, changes);
    MsgStore.get(key)?.set(changes);
  }

  function applyEdit({ key, text, at_ms }) {
    const caption = database.get(key)?.caption !== undefined;
    const { fromMe, remote, id, participant } = MsgKey.fromString(key);
    amend(key, {
      [caption ? 'caption' : 'body']: text,
      latestEditSenderTimestampMs: at_ms,
      latestEditMsgKey: new MsgKey({ fromMe, remote, id: `${id}E`, participant }),
    });
  }

  async function applyRevoke({ key, t }) {
    const revoked = MsgKey.fromString(key);
    await MsgStore.processMultipleMessages(revoked.remote, [{
      id: new MsgKey({ fromMe: revoked.fromMe, remote: revoked.remote, id: `${revoked.id}R` }),
      type: 'protocol', subtype: 'sender_revoke', protocolMessageKey: revoked, isNewMsg: true, t,
      from: revoked.remote, to: S.me(),
    }]);
    amend(key, { type: 'revoked', body: '', caption: undefined });
  }

  async function applyReceipt({ externalIds, ack }) {
    for (const message of MsgStore.filter((one) => one.id.fromMe && externalIds.includes(one.id.id))) {
      if (message.ack < ack) message.ack = ack;
    }
  }

  async function receiveReceipt({ key, ack }) {
    const { id, remote, participant } = MsgKey.fromString(key);
    const [module, name] = remote.isGroup()
      ? ['WAWebHandleGroupReceipt', 'handleGroupSimpleReceipt']
      : ['WAWebHandleChatReceipt', 'handleChatSimpleReceipt'];
    // Through the module, because wa-js listens by replacing its export.
    await S.load(module)[name]({
      type: ack === 3 ? 'read' : 'delivery', stanzaId: id, externalIds: [id], from: remote,
      participant: participant || null, recipient: null, ts: Math.floor(Date.now() / 1000), ack, ackString: null,
    });
    const stored = database.get(key);
    if (stored) stored.ack = Math.max(stored.ack, ack);
  }

  /* Until WhatsApp has it or refuses it; as the real page, it waits for the network for ever. */
  async function transmit(message, row) {
    const attempt = crypto.randomUUID();
    await untilDone('store', { row, attempt });
    database.set(String(message.id), { ...message.attributes });
    await pause(S.config.ack_delay_ms);
    const answer = await untilDone('deliver', { row, attempt });
    database.get(String(message.id)).ack = answer.ack;
    message.ack = answer.ack;
    return { messageSendResult: answer.result, t: row.t, count: null };
  }

  async function untilDone(path, body) {
    for (;;) {
      if (S.online()) {
        const answer = await post(path, body);
        if (!answer.wait) return answer;
      }
      await pause(20);
    }
  }

  async function sendText(chat, data) {
    const message = MsgStore.add({ ...data, ack: 0 });
    message.ack = 0;
    chat.msgs.add(message);
    chat.t = data.t;
    return [Promise.resolve(message), transmit(message, toRow(data))];
  }

  async function sendPending() {
    const pending = [...database.values()].filter((row) => row.id.fromMe && row.ack === 0);
    await Promise.all(pending.map(async (row) => {
      const chat = await S.chatOf(keyOf(row.id.remote));
      const message = MsgStore.add({ ...row, isNewMsg: false });
      chat.msgs.add(message);
      await transmit(message, toRow(row, { again: true }));
    }));
  }

  class MediaPrep {
    constructor(opaque, options) {
      this.blob = opaque.forceToBlob();
      const family = (opaque.type() || '').split('/')[0];
      const type = options.asDocument ? 'document' : ['image', 'audio', 'video'].includes(family) ? family : 'document';
      this.mediaData = { type, mimetype: opaque.type(), size: opaque.size() };
    }

    async waitForPrep() {
      return this.mediaData;
    }

    async sendToChat({ chat, options }) {
      const { type, mimetype, size } = this.mediaData;
      const raw = options.productMsgOptions;
      const base64 = await toBase64(this.blob); // wa-js listens for the new message right after this call
      const data = {
        ...raw, type, mimetype, size, caption: options.caption, mediaKey: 'key', mediaData: this.mediaData, ack: 0,
      };
      if (S.config.clone_media_keys) data.id = raw.id.clone();
      const message = MsgStore.add(data);
      chat.msgs.add(message);
      return transmit(message, toRow(data, { size, base64 }));
    }
  }

  async function toBase64(blob) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  }

  async function askExists(wid) {
    const answer = await post('exists', { wid: String(wid) });
    if (answer.error) throw new Error(answer.error);
    if (!answer.wid) return null;
    if (answer.lid) S.link(answer.wid, answer.lid);
    return { wid: new Wid(answer.wid), biz: false };
  }

  async function askPhoneCode(phone) {
    const answer = await post('phone_code', { phone });
    if (answer.error) throw new Error(answer.error);
    return answer.code;
  }

  Object.assign(S, {
    post, pause, tell, toAttributes, takeIn, amend, applyEdit, applyRevoke, applyReceipt, receiveReceipt, sendText,
    sendPending, MediaPrep, askExists, askPhoneCode,
  });
})();
