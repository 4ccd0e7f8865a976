/* What goes out: messages under ids chosen before, each once; look-ups by id; typing. Needs `bridge.js`. */
(() => {
  'use strict';
  const bridge = window.__whatsself;
  if (!bridge || bridge.send) return;
  const { wpp, whatsapp, serialized, errorOf, inTime, emit, toWid, chatOf, keysOf, inMemory, anywhere } = bridge.ground;

  const FIND_MS = 20_000;
  const LOOK_MS = 10_000;
  const PAGE_MS = 5_000;
  /* How long WhatsApp's own result may lag behind the acknowledgement that already decides a send. */
  const RESULT_LAG_MS = 1_000;
  const QUIET = { linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: true };

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
    if (known && !(known.ack < 0)) return outcome('already', target, { ack: known.ack ?? 0 });
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
    const state = !known ? 'refused' : known.ack >= 1 ? 'sent' : known.ack < 0 ? 'failed' : 'unknown';
    return outcome(state, target, { ack: known?.ack ?? null, ...errorOf(error) });
  }

  function watchAck(target, bare) {
    const { MsgStore } = whatsapp();
    let listener;
    const decided = new Promise((resolve) => {
      listener = ({ id, ack }) => {
        if (!id.fromMe || id.id !== bare || !ack) return;
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

  Object.assign(bridge, { send, lookUp, typing });
})();
