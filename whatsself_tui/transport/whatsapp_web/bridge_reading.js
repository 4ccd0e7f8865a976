/* What is asked: who is on WhatsApp, what a conversation has that was missed, and media. Needs `bridge.js`. */
(() => {
  'use strict';
  const bridge = window.__whatsself;
  if (!bridge || bridge.messages) return;
  const {
    wpp, whatsapp, serialized, errorOf, orElse, inTime, isPerson, otherAddress, toWid, chatOf, keysOf, anywhere, plain,
    mediaOf, isUsable,
  } = bridge.ground;

  // -------------------------------------------------------------------------------------------------------- people

  async function resolve({ phone, deadlineMs }) {
    const nobody = { chat: null, phone: null, lid: null };
    if (!/^\d{5,20}$/.test(phone)) return { state: 'unknown', ...nobody, error: 'invalid_phone' };
    try {
      const asked = toWid(`${phone}@c.us`);
      if (chatOf(asked)) return { state: 'yes', ...person(asked) };
      return await inTime(askExists(asked), deadlineMs);
    } catch (error) {
      return { state: 'unknown', ...nobody, ...errorOf(error) };
    }
  }

  async function askExists(asked) {
    let usable = isUsable();
    let found = await wpp().contact.queryWidExists(asked);
    if (!found) {
      // wa-js says null for errors too and remembers it for a while, so WhatsApp's own function is asked.
      usable = usable && isUsable();
      found = await whatsapp().functions.queryWidExists(asked);
    }
    if (found) return { state: 'yes', ...person(found.wid, found.lid) };
    return { state: usable && isUsable() ? 'no' : 'unknown', chat: null, phone: null, lid: null };
  }

  function person(wid, lid = null) {
    const other = otherAddress(wid) || lid;
    const [phone, private_] = wid.server === 'lid' ? [other, wid] : [wid, other];
    const chat = chatOf(wid)?.id || phone || private_;
    return { chat: serialized(chat), phone: serialized(phone), lid: serialized(private_) };
  }

  // ------------------------------------------------------------------------------------------------------ catch-up

  function chats() {
    const known = orElse(() => whatsapp().ChatStore.getModelsArray(), []);
    const people = known.filter((chat) => isPerson(chat.id));
    return people.map((chat) => ({
      chat: serialized(chat.id),
      other: serialized(otherAddress(chat.id)),
      t: Number(chat.t) || 0,
      unread: Math.max(0, chat.unreadCount || 0), // negative: marked as unread by hand
      lastKey: serialized(chat.lastReceivedKey),
    }));
  }

  async function messages({ chat: address, after, since, limit, deadlineMs }) {
    try {
      const chat = chatOf(toWid(address));
      if (!chat) return { messages: [], complete: false, error: 'chat_not_found' };
      const { found, complete } = await inTime(collect(chat, after, since, limit), deadlineMs);
      const readable = found.filter((message) => message.type !== 'ciphertext');
      return { messages: readable.map(plain), complete, error: null };
    } catch (error) {
      return { messages: [], complete: false, error: errorOf(error).error };
    }
  }

  async function collect(chat, after, since, limit) {
    const anchor = after ? await anywhere(keysOf(after)) : null;
    if (anchor) return collectAfter(chat, anchor, limit);
    const { found, complete } = await collectSince(chat, since, limit);
    return { found, complete: complete && !after };
  }

  async function collectAfter(chat, anchor, limit) {
    const found = await wpp().chat.getMessages(chat.id, beside(anchor.id, 'after', limit + 1));
    // Cut in WhatsApp's own order: whoever goes on after the last of these may see one again, but misses none.
    return { found: inOrder(found.slice(0, limit)), complete: found.length <= limit };
  }

  async function collectSince(chat, since, limit) {
    // Read by its key: without one wa-js counts from the newest message and leaves it out unless it is in memory.
    const newest = (chat.lastReceivedKey && (await anywhere(keysOf(chat.lastReceivedKey)))) || chat.msgs.last?.();
    if (!newest) return { found: [], complete: true };
    const many = Math.max(limit, chat.unreadCount || 0) + 1;
    const before = await wpp().chat.getMessages(chat.id, beside(newest.id, 'before', many));
    const behind = await wpp().chat.getMessages(chat.id, beside(newest.id, 'after', many));
    const all = inOrder([...before, newest, ...behind]);
    const unread = new Set(lastReceived(all, chat.unreadCount).map((message) => serialized(message.id)));
    const wanted = all.filter((message) => message.t >= since || unread.has(serialized(message.id)));
    const isWhole = before.length < many || before.some((message) => message.t < since);
    const complete = isWhole && behind.length < many && wanted.length <= limit;
    return { found: wanted.slice(-limit), complete };
  }

  const beside = (key, direction, count) => ({ id: serialized(key), direction, count });

  const lastReceived = (all, count) => (count > 0 ? all.filter((message) => !message.id.fromMe).slice(-count) : []);

  /* Each once, by time; those of one second stay in the order WhatsApp has them. */
  function inOrder(all) {
    const byKey = new Map(all.map((message) => [serialized(message.id), message]));
    return [...byKey.values()].sort((one, other) => one.t - other.t);
  }

  // --------------------------------------------------------------------------------------------------------- media

  async function download({ key, limitBytes, deadlineMs }) {
    try {
      return await inTime(fetchMedia(key, limitBytes), deadlineMs);
    } catch (error) {
      return errorOf(error);
    }
  }

  async function fetchMedia(key, limitBytes) {
    const message = await anywhere(keysOf(key));
    if (!message) return { error: 'msg_not_found', message: 'WhatsApp does not have this message any more.' };
    const told = mediaOf(message)?.size ?? 0;
    if (told > limitBytes) return tooLarge(told, limitBytes);
    const blob = await wpp().chat.downloadMedia(serialized(message.id));
    if (blob.size > limitBytes) return tooLarge(blob.size, limitBytes);
    return { mimetype: blob.type || message.mimetype || '', data: await toBase64(blob) };
  }

  const tooLarge = (size, limit) => ({ error: 'too_large', message: `${size} bytes, allowed are ${limit}` });

  function toBase64(blob) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });
  }

  Object.assign(bridge, { resolve, chats, messages, download });
})();
