/* The robot's end inside WhatsApp's page: plain JSON in and out, on top of wa-js (window.WPP).
 *
 * `window.__whatsself` holds the questions, `window.__whatsself_emit(name, data)` takes the events. Nothing here
 * throws for what can be foreseen, and every answer has a deadline, because many of WhatsApp's own have none. */
(() => {
  'use strict';
  if (window.top !== window || window.__whatsself) return;

  const FIND_MS = 20_000;
  const LOOK_MS = 10_000;
  const PAGE_MS = 5_000;
  const PHONE_CODE_MS = 60_000;
  /* How long WhatsApp's own result may lag behind the acknowledgement that already decides a send. */
  const RESULT_LAG_MS = 1_000;
  const QUIET = { linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: true };
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
    // Without it the robot is gone, or is just about to load the page anew: it asks for everything again.
    orElse(() => window.__whatsself_emit(name, data), null);
  }

  // ------------------------------------------------------------------------------------------ addresses and keys

  const isPerson = (wid) => wid?.server === 'c.us' || wid?.server === 'lid';
  const isBroadcast = (wid) => ['broadcast', 'newsletter', 'status'].includes(wid?.server);

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

  // ------------------------------------------------------------------------------------------------------- sending

  /* Bare id → the attempt that has it. It stays until WhatsApp has decided, however long its caller waited. */
  const underWay = new Map();

  /* The chat WhatsApp itself uses for the address, which may be its LID's, and the keys the message may have. */
  async function findTarget(to, bare) {
    if (!/^[0-9A-Za-z]+$/.test(bare)) throw Object.assign(new Error('letters and digits only'), { code: 'invalid_id' });
    const chat = await wpp().chat.find(to);
    const { participant } = await wpp().chat.generateMessageID(chat);
    const { MsgKey } = whatsapp();
    const keys = keysOf(new MsgKey({ fromMe: true, remote: chat.id, id: bare, participant }));
    return { chat, keys };
  }

  function send(request) {
    const first = underWay.get(request.bare);
    if (first) return joinAttempt(first, request);
    const attempt = { target: null, verdict: null };
    attempt.verdict = carryOut(request, attempt).finally(() => underWay.delete(request.bare));
    underWay.set(request.bare, attempt);
    return verdictWithin(attempt, request.deadlineMs);
  }

  function joinAttempt(attempt, { deadlineMs }) {
    const known = attempt.target && inMemory(attempt.target.keys);
    return known ? outcome('already', attempt.target, { ack: known.ack ?? 0 }) : verdictWithin(attempt, deadlineMs);
  }

  function verdictWithin(attempt, ms) {
    return inTime(attempt.verdict, ms).catch((error) => outcome('unknown', attempt.target, errorOf(error)));
  }

  function outcome(state, target, more) {
    const chat = serialized(target?.chat.id);
    return { state, ack: null, result: null, error: null, message: null, chat, ...more };
  }

  async function carryOut(request, attempt) {
    const endsAt = performance.now() + request.deadlineMs;
    try {
      attempt.target = await inTime(findTarget(request.to, request.bare), Math.min(request.deadlineMs, FIND_MS));
    } catch (error) {
      return outcome('refused', null, errorOf(error));
    }
    const { target } = attempt;
    let known = inMemory(target.keys);
    try {
      if (request.deep && !known) known = await inTime(anywhere(target.keys), LOOK_MS);
    } catch (error) {
      return outcome('unknown', target, errorOf(error));
    }
    if (known && known.ack !== -1) return outcome('already', target, { ack: known.ack ?? 0 });
    // Its caller was told `unknown` by now: sending after all would be a message nobody waits for.
    if (performance.now() >= endsAt) return outcome('refused', target, { error: 'deadline' });
    if (known) forget(known, target);
    const verdict = await hand(request, target);
    emit('sent', { bare: request.bare, ...verdict });
    return verdict;
  }

  /* A new message of the same id would be merged into the failed one, and who waits for its arrival would wait on. */
  function forget(failed, target) {
    whatsapp().MsgStore.remove(failed);
    target.chat.msgs.remove(failed);
  }

  /* wa-js may wait for ever for a file it does not recognise as its own; the acknowledgement decides as well. */
  async function hand(request, target) {
    const watch = watchAck(target, request.bare);
    try {
      return await Promise.race([watch.decided, handOver(request, target)]);
    } finally {
      watch.stop();
    }
  }

  async function handOver({ text, file }, target) {
    const { chat, keys: [messageId] } = target;
    const options = { ...QUIET, messageId };
    try {
      const sent = file
        ? await wpp().chat.sendFileMessage(chat.id, toFile(file), { ...options, ...fileOptions(file, text) })
        : await wpp().chat.sendTextMessage(chat.id, text, options);
      return verdictOf(target, sent.ack, sent.sendMsgResult?.messageSendResult ?? null);
    } catch (error) {
      return afterError(target, error);
    }
  }

  const fileOptions = ({ kind, mimetype, name }, text) => (
    { type: kind, mimetype, filename: name, caption: text || undefined }
  );

  function verdictOf(target, ack, result) {
    const isSent = result === null ? ack >= 1 : result === 'OK';
    return outcome(isSent ? 'sent' : 'failed', target, { ack: ack ?? null, result });
  }

  /* An error may come before anything was attempted, or after the message was already taken in. */
  async function afterError(target, error) {
    let known;
    try {
      known = await inTime(anywhere(target.keys), LOOK_MS);
    } catch {
      return outcome('unknown', target, errorOf(error));
    }
    const state = !known ? 'refused' : known.ack >= 1 ? 'sent' : known.ack === -1 ? 'failed' : 'unknown';
    return outcome(state, target, { ack: known?.ack ?? null, ...errorOf(error) });
  }

  function watchAck(target, bare) {
    const { MsgStore } = whatsapp();
    let listener;
    const decided = new Promise((resolve) => {
      listener = ({ id, ack }) => {
        if (!id.fromMe || id.id !== bare || ack === 0) return;
        setTimeout(() => resolve(verdictOf(target, ack, null)), RESULT_LAG_MS);
      };
      MsgStore.on('change:ack', listener);
    });
    return { decided, stop: () => MsgStore.off('change:ack', listener) };
  }

  /* A File, because from a data URL wa-js guesses, and may fetch, which the page's policy forbids. */
  function toFile({ data, mimetype, name }) {
    const binary = atob(data.slice(data.indexOf(',') + 1));
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
    return new File([bytes], name, { type: mimetype });
  }

  async function lookUp({ to, bare, deadlineMs }) {
    try {
      const search = findTarget(to, bare).then(({ keys }) => anywhere(keys));
      const found = await inTime(search, deadlineMs);
      if (!found) return underWay.has(bare) ? { state: 'pending', ack: 0 } : { state: 'absent', ack: null };
      const ack = found.ack ?? 0;
      return { state: ack >= 1 ? 'present' : ack === 0 ? 'pending' : 'failed', ack };
    } catch (error) {
      return { state: 'unknown', ack: null, ...errorOf(error) };
    }
  }

  async function typing({ to, on }) {
    try {
      const chat = chatOf(toWid(to));
      if (!chat) return false;
      await inTime(on ? wpp().chat.markIsComposing(chat.id) : wpp().chat.markIsPaused(chat.id), PAGE_MS);
      return true;
    } catch {
      return false; // shown to the contact or not: nothing depends on it
    }
  }

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
    const found = inOrder(await wpp().chat.getMessages(chat.id, beside(anchor.id, 'after', limit + 1)));
    if (found.length > limit) return { found: found.slice(0, limit), complete: false };
    const newest = await newestReceived(chat);
    const isMissing = newest && serialized(newest.id) !== serialized(anchor.id) && newest.t >= anchor.t;
    return { found: inOrder(isMissing ? [...found, newest] : found), complete: true };
  }

  async function collectSince(chat, since, limit) {
    const newest = (await newestReceived(chat)) || chat.msgs.last?.() || null;
    if (!newest) return { found: [], complete: true };
    const many = Math.max(limit, chat.unreadCount || 0) + 1;
    const before = await wpp().chat.getMessages(chat.id, beside(newest.id, 'before', many));
    const behind = await wpp().chat.getMessages(chat.id, beside(newest.id, 'after', many));
    const all = inOrder([...before, newest, ...behind]);
    const unread = new Set(lastReceived(all, chat.unreadCount).map((message) => serialized(message.id)));
    const wanted = all.filter((message) => message.t >= since || unread.has(serialized(message.id)));
    const isWhole = before.length < many || before.some((message) => message.t < since);
    return { found: wanted.slice(-limit), complete: isWhole && wanted.length <= limit };
  }

  const beside = (key, direction, count) => ({ id: serialized(key), direction, count });

  /* wa-js leaves out the message it counts from unless it is in memory, and that is often the newest of all. */
  async function newestReceived(chat) {
    return chat.lastReceivedKey ? anywhere(keysOf(chat.lastReceivedKey)) : null;
  }

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

  // -------------------------------------------------------------------------------------------------------- events

  const look = () => emit('look');

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

  window.__whatsself = {
    status, missing, qr, refreshQr, startCode, cancelCode, takeOver, send, lookUp, typing, resolve, chats, messages,
    download,
  };
  if (!wpp()) return;
  for (const name of LOOK_AGAIN) wpp().on(name, look);
  for (const [name, listener] of Object.entries(LISTENERS)) wpp().on(name, listener);
})();
