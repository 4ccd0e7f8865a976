/* The life of the page: start, pairing, connection, and the orders of the test that holds the server's side.
 *
 * The login lives in localStorage, so it is lost with the profile, and the server has to know it as well. */
(() => {
  'use strict';
  const S = window.Standin;
  const { BaseModel, EventEmitter, Wid, Conn, NetworkStatus, BackendEventBus, database, keyOf } = S;
  const DEVICE = 'standin.device';
  const ORDERS_EVERY_MS = 40;

  let account = null;
  let network = true;
  let seen = 0;
  let qrCodes = 0;
  let qrTimer = null;

  S.config = window.StandinPage.config;
  S.paired = () => Boolean(account);
  S.me = () => (account ? new Wid(account.phone) : undefined);
  S.meLid = () => (account ? new Wid(account.lid) : undefined);
  S.online = () => network && S.Stream.mode === 'MAIN';

  class StreamModel extends BaseModel {
    markAvailable() {
      this.available = true;
    }

    markUnavailable() {
      this.available = false;
    }
  }
  StreamModel.prototype.proxyName = 'stream';

  class SocketModel extends BaseModel {
    logout() {
      S.post('logout');
    }

    async takeover() {
      await S.post('takeover');
      enterMain();
    }
  }
  SocketModel.prototype.proxyName = 'socket';

  S.Socket = new SocketModel({ state: 'OPENING', stream: 'DISCONNECTED' });
  S.Stream = new StreamModel({ mode: 'SYNCING', info: 'OPENING', needsUpdate: false, available: false });
  S.Cmd = Object.assign(new EventEmitter(), { isMainLoaded: false, refreshQR: showQr });

  function newCode() {
    Conn.ref = `2@ref-${++qrCodes}-${Date.now()}`;
  }

  function showQr() {
    clearInterval(qrTimer);
    S.Socket.state = 'UNPAIRED';
    newCode();
    S.Stream.set({ mode: 'QR', info: 'PAIRING' });
    let left = S.config.qr_codes;
    qrTimer = setInterval(() => (--left > 0 ? newCode() : idleQr()), S.config.qr_rotate_ms);
  }

  function idleQr() {
    clearInterval(qrTimer);
    S.Socket.state = 'UNPAIRED_IDLE';
    Conn.ref = undefined;
  }

  async function pair({ device, account: who, history_ms: historyMs, ...known }) {
    clearInterval(qrTimer);
    S.Socket.state = 'PAIRING';
    localStorage.setItem(DEVICE, device);
    account = who;
    Conn.ref = undefined;
    restore(known);
    await connect('MAIN', { historyMs });
  }

  async function connect(mode, { historyMs = 0, waiting = [] } = {}) {
    S.link(account.phone, account.lid);
    S.Stream.set({ mode: 'SYNCING', info: 'CONNECTING' });
    S.Socket.set({ state: 'CONNECTED', stream: 'CONNECTED' });
    Conn.set({ connected: true, wid: S.me(), pushname: account.name });
    S.Cmd.isMainLoaded = true;
    S.Cmd.trigger('main_loaded');
    await S.pause(20);
    if (mode === 'CONFLICT') return enterConflict();
    if (mode === 'TOS_BLOCK') return enterBlock();
    syncHistory(historyMs);
    for (const row of waiting) await S.takeIn(row, false);
    BackendEventBus.trigger('offline_delivery_end');
    BackendEventBus.trigger('main_stream_mode_ready');
    return enterMain();
  }

  /* WhatsApp's page is in MAIN while the phone still sends older conversations. */
  function syncHistory(ms) {
    if (!ms) return;
    S.history.realProgress = 40;
    setTimeout(() => {
      S.history.realProgress = 100;
      BackendEventBus.trigger('on_full_chat_history_synced');
    }, ms);
  }

  function enterMain() {
    S.Socket.state = network ? 'CONNECTED' : 'TIMEOUT';
    S.Stream.set({ mode: 'MAIN', info: network ? 'NORMAL' : 'OFFLINE' });
  }

  function enterConflict() {
    S.Socket.state = 'CONFLICT';
    S.Stream.set({ mode: 'CONFLICT', info: 'OFFLINE' });
  }

  function enterBlock() {
    BackendEventBus.trigger('account_temporarily_banned');
    S.Socket.state = 'TOS_BLOCK';
    S.Stream.set({ mode: 'TOS_BLOCK', info: 'OFFLINE' });
  }

  function setNetwork(on) {
    network = on;
    NetworkStatus.set('online', on);
    if (S.Stream.mode === 'MAIN') enterMain();
  }

  /* As the real page: the reason, then the event, then a reload that ends at a QR code. */
  function logOut(reason) {
    S.load('WAWebLogoutReason').getErrorCodeFromLogoutReason(reason);
    BackendEventBus.trigger('logout');
    account = null;
    localStorage.removeItem(DEVICE);
    S.Socket.state = 'UNPAIRED';
    S.Cmd.trigger('logout');
    setTimeout(() => location.reload(), 50);
  }

  function hang(ms) {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  const orders = {
    paired: pair,
    new_code: newCode,
    idle: idleQr,
    link_event: ({ event }) => S.LinkDeviceEvents.trigger(`link_device_events:${event}`),
    message: ({ row, silent }) => S.takeIn(row, silent),
    decrypted: ({ key, body }) => S.amend(key, { type: 'chat', body }),
    edit: S.applyEdit,
    revoke: S.applyRevoke,
    receipt: S.receiveReceipt,
    network: ({ on }) => setNetwork(on),
    conflict: enterConflict,
    main: enterMain,
    block: enterBlock,
    link: ({ phone, lid }) => S.link(phone, lid),
    needs_update: () => S.Stream.set({ needsUpdate: true }),
    config: ({ config }) => Object.assign(S.config, config),
    load_modules: loadLate,
    logout: ({ reason }) => logOut(reason),
    hang: ({ ms }) => hang(ms),
  };

  async function obey({ seq, name, ...data }) {
    seen = Math.max(seen, seq);
    await orders[name](data);
  }

  async function followOrders() {
    for (;;) {
      await S.pause(ORDERS_EVERY_MS);
      let answer;
      try {
        answer = await S.post('orders', { after: seen, online: network && S.Stream.mode === 'MAIN' });
      } catch (error) {
        continue; // the browser is being closed, or the test's server is
      }
      for (const order of answer.orders) await obey(order);
    }
  }

  function restore(answer) {
    for (const [phone, lid] of answer.links) S.link(phone, lid);
    for (const { id, ...rest } of answer.contacts) S.ContactStore.add({ id: new Wid(id), type: 'in', ...rest });
    for (const row of answer.messages) {
      const attributes = S.toAttributes({ ...row, is_new: false });
      database.set(String(attributes.id), attributes);
    }
    for (const { id, t, unread } of answer.chats) {
      const received = [...database.values()].filter((row) => !row.id.fromMe && keyOf(row.id.remote) === id);
      S.ChatStore.add({
        id: new Wid(id), t, unreadCount: unread, lastReceivedKey: received.at(-1)?.id, isParentGroup: false,
      });
    }
  }

  async function start() {
    const answer = await S.post('boot', { device: localStorage.getItem(DEVICE) });
    seen = answer.seq;
    Object.assign(S.config, answer.config);
    if (answer.modules_came) loadLate();
    network = answer.online;
    account = answer.account;
    NetworkStatus.set('online', network);
    if (account) {
      restore(answer);
      await connect(answer.mode, { waiting: answer.waiting });
      S.sendPending();
    } else {
      localStorage.removeItem(DEVICE);
      showQr();
    }
    followOrders();
  }

  function loadLate() {
    for (const id of window.StandinPage.late) S.define(id, S.modules[id]);
  }

  const absent = new Set([...window.StandinPage.drop, ...window.StandinPage.late]);
  for (const id of Object.keys(S.modules)) if (!absent.has(id)) S.define(id, S.modules[id]);
  S.open();
  setTimeout(start, 50);
})();
