/* The robot's end inside WhatsApp's page: plain JSON in and out, on top of wa-js (window.WPP).
 *
 * `window.__whatsself` holds the questions, `window.__whatsself_emit(name, data)` takes the events. Nothing here
 * throws for what can be foreseen, and every answer has a deadline, because many of WhatsApp's own have none.
 *
 * This file is the ground: answers about the connection, and the events. `bridge_reading.js` and `bridge_sending.js`
 * come after it, in the same page. */
(() => {
  'use strict';
  if (window.top !== window || window.__whatsself) return;

  const PAGE_MS = 5_000;
  const PHONE_CODE_MS = 60_000;
  const WORDS = new Set(['chat', 'buttons_response', 'list_response', 'template_button_reply']);

  const NEEDED = {
    '': [
      'chat.find', 'chat.get', 'chat.generateMessageID', 'chat.sendTextMessage', 'chat.sendFileMessage',
      'chat.getMessages', 'chat.getMessageById', 'chat.downloadMedia', 'chat.markIsComposing', 'chat.markIsPaused',
      'conn.getStreamData', 'conn.isAuthenticated', 'conn.isIdle', 'conn.getMyUserId', 'conn.getAuthCode',
      'conn.startLinkDeviceCodeForPhoneNumber', 'conn.cancelLinkDeviceCode', 'contact.queryWidExists',
    ],
    'whatsapp.': [
      'ChatModel', 'ChatStore', 'Cmd.refreshQR', 'ContactStore', 'MediaPrep', 'MsgKey', 'MsgModel', 'MsgStore',
      'OpaqueData', 'Socket.takeover', 'Stream', 'ChatPresence', 'WidFactory.createWid', 'lidPnCache',
    ],
    'whatsapp.functions.': [
      'addAndSendMsgToChat', 'findOrCreateLatestChat', 'genLinkDeviceCodeForPhoneNumber', 'getHasUnread',
      'getSearchContext', 'handleChatSimpleReceipt', 'isAuthenticated', 'msgFindByDirection', 'queryWidExists',
      'randomMessageId',
    ],
  };

  const wpp = () => window.WPP;
  const whatsapp = () => window.WPP.whatsapp;
  const serialized = (thing) => (thing == null ? null : thing._serialized || String(thing));
  const errorOf = (error) => ({
    error: String(error?.code || error?.name || 'error'),
    message: String(error?.message || error),
  });

  function orElse(read, otherwise) {
    try {
      return read() ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  /* What `promise` brings, or a `deadline` error; the work itself goes on. */
  function inTime(promise, ms) {
    let timer;
    const late = new Promise((_, reject) => {
      const error = Object.assign(new Error(`no answer within ${ms} ms`), { code: 'deadline' });
      timer = setTimeout(reject, ms, error);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  function emit(name, data = null) {
    // A robot that is gone, or is about to load the page anew, asks for everything again.
    window.__whatsself_emit?.(name, data)?.catch?.(() => null);
  }

  // ------------------------------------------------------------------------------------------ addresses and keys

  const isPerson = (wid) => wid?.server === 'c.us' || wid?.server === 'lid';
  const isBroadcast = (wid) => ['broadcast', 'newsletter'].includes(wid?.server);

  /* The same person's LID for a phone and the other way round, where WhatsApp knows it without asking. */
  function otherAddress(wid) {
    if (!isPerson(wid)) return null;
    const { lidPnCache } = whatsapp();
    const ask = wid.server === 'lid' ? () => lidPnCache.getPhoneNumber(wid) : () => lidPnCache.getCurrentLid(wid);
    return orElse(ask, null);
  }

  function chatOf(wid) {
    const { ChatStore } = whatsapp();
    const other = otherAddress(wid);
    return ChatStore.get(wid) || (other && ChatStore.get(other)) || null;
  }

  const toWid = (address) => whatsapp().WidFactory.createWid(address);

  /* A chat may have moved to the LID since a key was made, so a message may be under either address. */
  function keysOf(key) {
    const { MsgKey } = whatsapp();
    const { fromMe, remote, id, participant } = typeof key === 'string' ? MsgKey.fromString(key) : key;
    const remotes = [remote, otherAddress(remote)].filter(Boolean);
    return remotes.map((one) => new MsgKey({ fromMe, remote: one, id, participant }));
  }

  function inMemory(keys) {
    const { ChatStore, MsgStore } = whatsapp();
    for (const key of keys) {
      const found = MsgStore.get(key) || ChatStore.get(key.remote)?.msgs.get(key);
      if (found) return found;
    }
    return null;
  }

  /* Also in WhatsApp's own database: after a start its memory is almost empty. Throws if it cannot tell. */
  async function anywhere(keys) {
    const known = inMemory(keys);
    if (known) return known;
    for (const key of keys) {
      try {
        return await wpp().chat.getMessageById(key);
      } catch (error) {
        if (!['msg_not_found', 'chat_not_found'].includes(error?.code)) throw error;
      }
    }
    return null;
  }

  // ------------------------------------------------------------------------------------------------ plain messages

  function textOf(message) {
    // The body of a medium is its thumbnail, and without a caption wa-js puts the file's name in its place.
    if (WORDS.has(message.type)) return String(message.body ?? '');
    return message.isCaptionByUser === false ? '' : String(message.caption ?? '');
  }

  function mediaOf(message) {
    if (!message.mediaKey && !message.directPath) return null;
    const { mediaData } = message;
    return {
      mimetype: message.mimetype || mediaData?.mimetype || '',
      name: message.filename || mediaData?.filename || '',
      size: message.size ?? mediaData?.size ?? null,
    };
  }

  function nameOf(message) {
    if (message.id.fromMe) return null;
    const { remote } = message.id;
    const contact = isPerson(remote) ? orElse(() => whatsapp().ContactStore.get(remote), null) : null;
    return contact?.name || contact?.verifiedName || contact?.pushname || message.notifyName || null;
  }

  function plain(message) {
    const { id, t, type, ack } = message;
    return {
      key: serialized(id),
      bare: id.id,
      fromMe: Boolean(id.fromMe),
      chat: serialized(id.remote),
      other: serialized(otherAddress(id.remote)),
      group: id.remote.server === 'g.us',
      broadcast: isBroadcast(id.remote),
      type: String(type),
      t: Number(t) || 0,
      ack: ack ?? null,
      name: nameOf(message),
      text: textOf(message),
      media: mediaOf(message),
    };
  }

  // ---------------------------------------------------------------------------------------------------- connection

  function status() {
    const injected = Boolean(wpp()?.isInjected);
    const read = (question, otherwise) => (injected ? orElse(question, otherwise) : otherwise);
    const { mode, info } = read(() => wpp().conn.getStreamData(), {});
    const authenticated = read(() => Boolean(wpp().conn.isAuthenticated()), false);
    return {
      wajs: wpp()?.version ?? null,
      injected,
      ready: Boolean(wpp()?.isReady),
      full: Boolean(wpp()?.isFullReady),
      authenticated,
      mode: mode ?? null,
      info: info ?? null,
      socket: read(() => whatsapp().Socket.state, null),
      me: authenticated ? read(() => `${wpp().conn.getMyUserId().user}@c.us`, null) : null,
      idle: read(() => wpp().conn.isIdle(), false),
      needsUpdate: read(() => Boolean(whatsapp().Stream.needsUpdate), false),
      syncing: authenticated && read(isSyncing, false),
    };
  }

  /* wa-js calls a history without any progress unfinished, so only what lies in between counts. */
  function isSyncing() {
    const { progress, paused } = wpp().conn.getHistorySyncProgress();
    return progress > 0 && progress < 100 && !paused;
  }

  function isUsable() {
    const { mode, info } = wpp().conn.getStreamData();
    return mode === 'MAIN' && info === 'NORMAL';
  }

  function missing() {
    const has = (path) => orElse(() => path.split('.').reduce((thing, name) => thing[name], wpp()), null) !== null;
    const needed = Object.entries(NEEDED).flatMap(([room, names]) => names.map((name) => room + name));
    return needed.filter((path) => !has(path));
  }

  async function qr() {
    try {
      return (await inTime(wpp().conn.getAuthCode(), PAGE_MS))?.fullCode ?? null;
    } catch {
      return null; // no code to be had, which is what null says
    }
  }

  /* Not wa-js' refreshQR: it waits for the new code without a deadline, and that comes as an event anyway. */
  const refreshQr = () => orElse(() => (whatsapp().Cmd.refreshQR(), true), false);
  const takeOver = () => orElse(() => (whatsapp().Socket.takeover(), true), false);
  const cancelCode = () => orElse(() => (wpp().conn.cancelLinkDeviceCode(), true), false);

  async function startCode({ phone }) {
    try {
      return { code: await inTime(wpp().conn.startLinkDeviceCodeForPhoneNumber(phone), PHONE_CODE_MS) };
    } catch (error) {
      return errorOf(error);
    }
  }

  // -------------------------------------------------------------------------------------------------------- events

  const look = () => emit('look');

  /* WhatsApp may change what an event carries; that must not break its page, whose code this runs in. */
  const guarded = (name, listener) => (data) => {
    try {
      listener(data);
    } catch (error) {
      console.error(`[whatsself] ${name}`, error);
    }
  };

  /* The reason may come before the logout or after it, and alone it means nothing yet. */
  const loggedOut = { reason: null, told: false };

  function onLogout() {
    loggedOut.told = true;
    emit('logout', loggedOut.reason);
  }

  function onLogoutReason(reason) {
    loggedOut.reason = reason == null ? null : String(reason);
    if (loggedOut.told) emit('logout', loggedOut.reason);
  }

  function onMessage(message) {
    // It comes again, under the same id, as soon as WhatsApp can read it.
    if (message.type !== 'ciphertext') emit('message', plain(message));
  }

  function onEdited({ msg: message }) {
    const sentAt = Number(message.latestEditSenderTimestampMs) || Date.now();
    const t = Math.floor(sentAt > 1e11 ? sentAt / 1000 : sentAt); // wa-js writes seconds there, WhatsApp milliseconds
    const { id } = message;
    emit('edited', { bare: id.id, chat: serialized(id.remote), fromMe: Boolean(id.fromMe), text: textOf(message), t });
  }

  function onRevoked({ refId, from }) {
    if (!refId?.id) return;
    emit('revoked', { bare: refId.id, chat: serialized(refId.remote || from), fromMe: Boolean(refId.fromMe) });
  }

  function onAck({ ids, ack }) {
    for (const { id } of ids) emit('ack', { bare: id, ack });
  }

  const LOOK_AGAIN = [
    'loader.injected', 'loader.ready', 'loader.full_ready', 'conn.main_ready', 'conn.authenticated',
    'conn.require_auth', 'conn.stream_mode_changed', 'conn.stream_info_changed', 'conn.needs_update', 'conn.online',
  ];
  const LISTENERS = {
    'conn.auth_code_change': (code) => emit('qr', code?.fullCode ?? null),
    'conn.qrcode_idle': () => emit('qr_idle'),
    'conn.link_code_change': (code) => emit('code', code),
    'conn.link_code_expired': () => emit('code_expired'),
    'conn.link_code_error': (error) => emit('code_error', errorOf(error).message),
    'conn.logout': onLogout,
    'conn.logout_reason': onLogoutReason,
    'conn.backend_event': (name) => emit('backend', String(name)),
    'chat.new_message': onMessage,
    'chat.msg_edited': onEdited,
    'chat.msg_revoke': onRevoked,
    'chat.msg_ack_change': onAck,
  };

  /* Not for Python: what the files after this one stand on. */
  const ground = {
    wpp, whatsapp, serialized, errorOf, orElse, inTime, emit, isPerson, otherAddress, toWid, chatOf, keysOf, inMemory,
    anywhere, plain, mediaOf, isUsable,
  };
  window.__whatsself = { status, missing, qr, refreshQr, startCode, cancelCode, takeOver, ground };
  if (!wpp()) return;
  for (const name of LOOK_AGAIN) wpp().on(name, look);
  for (const [name, listener] of Object.entries(LISTENERS)) wpp().on(name, guarded(name, listener));
})();
