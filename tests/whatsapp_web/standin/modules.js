/* The modules of WhatsApp Web that wa-js looks for, each with no more than it needs.
 *
 * Finders go by what a module exports, so a stray export can make the wrong module match: keep them minimal. */
(() => {
  'use strict';
  const S = window.Standin;
  const { BaseModel, BaseCollection, EventEmitter } = S;

  class StatusCollection extends BaseCollection {
    getMyStatus() {
      return { msgs: new BaseCollection() };
    }
  }
  class GroupMetadataCollection extends BaseCollection {
    _handleParentGroupChange() {}
  }
  class PresenceCollection extends BaseCollection {}
  class BlocklistCollection extends BaseCollection {}
  class NewsletterCollection extends BaseCollection {}
  class LabelCollection extends BaseCollection {}

  class OpaqueData {
    static async createFromData(file, type) {
      return new OpaqueData(file, type);
    }

    constructor(file, type) {
      this.file = file;
      this.mimetype = type;
    }

    type() {
      return this.mimetype;
    }

    size() {
      return this.file.size;
    }

    forceToBlob() {
      return this.file;
    }

    throwIfReleased() {}
  }

  const bytesOf = (value, length) => new Uint8Array(length).fill(value).buffer;
  const enumOf = (names) => Object.fromEntries(names.split(' ').map((name) => [name, name]));
  const each = (names, getter) => Object.fromEntries(names.split(' ').map((name) => [name, getter(name)]));
  const toBase64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
  const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const phoneOf = (contact) => S.lidPnCache.getPhoneNumber(contact.id);
  const nameOf = (contact) => contact.name || contact.pushname || `+${contact.id.user}`;

  const core = {
    WAWebUserPrefsMeUser: () => ({
      getMaybeMePnUser: () => S.me(),
      getMaybeMeLidUser: () => S.meLid(),
      getMeLidUserOrThrow: () => S.meLid(),
      getMe: () => S.me(),
    }),
    WAWebBuildConstants: () => ({
      VERSION_STR: '2.3000.1046721001', VERSION_BASE: '2.3000.1046721001', VERSION_PRIMARY: '2',
      VERSION_SECONDARY: '3000', VERSION_TERTIARY: '1046721001', WINDOWS_BUILD: null,
      SANITIZED_VERSION_STR: '2.3000.1046721001',
    }),
    WAWebWid: () => ({ default: S.Wid }),
    WAWebWidFactory: () => S.WidFactory,
    WAWebMsgKey: () => ({ default: S.MsgKey }),
    WAWebEventEmitter: () => ({ default: EventEmitter }),
    WAWebBaseModel: () => ({ defineModel() {}, BaseModel }),
    WAWebBaseCollection: () => ({ BaseCollection }),
    WAWebCollection: () => ({ default: S.Collection }),
    WATimeUtils: () => ({ unixTime: () => Math.floor(Date.now() / 1000), unixTimeMs: () => Date.now() }),
    WAMd5: () => ({ md5: (text) => text, md5ArrayBufferHex: () => '' }),
    WAWebABProps: () => ({ getABPropConfigValue: () => undefined }),
    WAWebMiscGatingUtils: () => ({ primaryFeatureEnabled: () => true }),
    WAWebNonJidMention: () => ({ default: { MENTION_ALL: 1 } }),
  };

  const stores = {
    WAWebChatModel: () => ({ Chat: S.ChatModel }),
    WAWebMsgModel: () => ({ Msg: S.MsgModel }),
    WAWebContactModel: () => ({ Contact: S.ContactModel }),
    WAWebChatCollection: () => ({ ChatCollectionImpl: S.ChatCollection, ChatCollection: S.ChatStore }),
    WAWebMsgCollection: () => ({ MsgCollection: S.MsgStore }),
    WAWebChatMsgsCollection: () => ({ ChatMsgsCollection: S.ChatMsgsCollection }),
    WAWebContactCollection: () => ({ ContactCollectionImpl: S.ContactCollection, ContactCollection: S.ContactStore }),
    WAWebPresenceCollection: () => ({ PresenceCollection: new PresenceCollection() }),
    WAWebBlocklistCollection: () => ({ BlocklistCollection: new BlocklistCollection() }),
    WAWebStatusCollection: () => ({ StatusCollectionImpl: StatusCollection, StatusCollection: new StatusCollection() }),
    WAWebGroupMetadataCollection: () => ({ default: new GroupMetadataCollection() }),
    WAWebNewsletterCollection: () => ({ default: new NewsletterCollection() }),
    WAWebLabelCollection: () => ({ LabelCollection: new LabelCollection() }),
    WAWebHistorySyncProgressModel: () => ({ getHistorySyncProgressModel: () => S.history }),
  };

  const connection = {
    WAWebConnModel: () => ({ Conn: S.Conn, ConnImpl: BaseModel }),
    WAWebSocketModel: () => ({ Socket: S.Socket }),
    WAWebStreamModel: () => ({ Stream: S.Stream }),
    WAWebCmd: () => ({ Cmd: S.Cmd, CmdImpl: EventEmitter }),
    WAWebNetworkStatus: () => ({ default: S.NetworkStatus }),
    WAWebBackendEventBus: () => ({ BackendEventBus: S.BackendEventBus, BackendEvent: { LOGOUT: 'logout' } }),
    WAWebSocketConstants: () => ({
      SOCKET_STATE: enumOf(
        'OPENING PAIRING UNPAIRED UNPAIRED_IDLE CONNECTED TIMEOUT CONFLICT UNLAUNCHED PROXYBLOCK TOS_BLOCK'
          + ' SMB_TOS_BLOCK DEPRECATED_VERSION'),
      SOCKET_STREAM: enumOf('DISCONNECTED SYNCING RESUMING CONNECTED'),
      WATCHED_SOCKET_STATE: enumOf('OPEN CLOSED'),
    }),
    WAWebUserPrefsScreenLock: () => ({ isLoggedIn: () => S.paired() }),
    WAWebUserPrefsMultiDevice: () => ({ isRegistered: () => S.paired() }),
    WAWebSignalStore: () => ({
      waSignalStore: { getRegistrationInfo: async () => ({ identityKeyPair: { pubKey: bytesOf(2, 32) } }) },
    }),
    WAWebNoiseInfo: () => ({ waNoiseInfo: { get: async () => ({ staticKeyPair: { pubKey: bytesOf(1, 32) } }) } }),
    WAWebAdvStore: () => ({
      getADVSecretKey: async () => btoa('adv-secret-key-of-thirty-two-byt'),
      setADVSignedIdentity() {},
    }),
    WABase64: () => ({ encodeB64: toBase64, decodeB64: fromBase64 }),
    WAWebLinkDeviceEvents: () => ({ WAWebLinkDeviceEvents: S.LinkDeviceEvents }),
    WAWebAltDeviceLinkingInit: () => ({ initializeAltDeviceLinking: async () => {} }),
    WAWebAltDeviceLinkingApi: () => ({ genLinkDeviceCodeForPhoneNumber: (phone) => S.askPhoneCode(phone) }),
    WAWebLogoutReason: () => ({
      getErrorCodeFromLogoutReason: () => null,
      setPrevLogoutReasonCode() {},
      setPrevCustomLogoutMessage() {},
      getPrevLogoutReasonCode: () => null,
      getPrevCustomLogoutMessage: () => null,
    }),
    WAWebLogoutReasonConstants: () => ({
      LogoutReason: { UserInitiated: 'user_initiated' },
      LOGOUT_REASON_CODE: { CLIENT_FATAL: '0' },
    }),
    WAWebOfficialClient: () => ({ isOfficialClient: false }),
  };

  const messages = {
    WAWebAck: () => ({
      ACK: { FAILED: -1, CLOCK: 0, SENT: 1, RECEIVED: 2, READ: 3, PLAYED: 4, PEER: 5 },
      ACK_STRING: { SENDER: 'sender', READ: 'read' },
      EDIT_ATTR: { SENDER_REVOKE: 7 },
    }),
    WAWebMsgType: () => ({
      MSG_TYPE: { CHAT: 'chat', CALL_LOG: 'call_log' },
      SYSTEM_MESSAGE_TYPES: ['e2e_notification'],
    }),
    WAWebSendMsgResultEnum: () => ({ SendMsgResult: enumOf('OK ERROR_NETWORK ERROR_UPLOAD ERROR_UNKNOWN') }),
    WAWebSendMsgChatAction: () => ({ addAndSendMsgToChat: (chat, data) => S.sendText(chat, data) }),
    WAWebFindChatAction: () => ({ findOrCreateLatestChat: S.findOrCreateLatestChat }),
    WAWebGetEphemeralFieldsMsgActionsUtils: () => ({ getEphemeralFields: () => ({}) }),
    WAWebHandleChatReceipt: () => ({ handleChatSimpleReceipt: (receipt) => S.applyReceipt(receipt) }),
    WAWebHandleGroupReceipt: () => ({ handleGroupSimpleReceipt: (receipt) => S.applyReceipt(receipt) }),
    WAWebHandleStatusReceipt: () => ({ handleStatusSimpleReceipt: (receipt) => S.applyReceipt(receipt) }),
    WAWebDBMessageFindLocal: () => ({
      msgFindByDirection: S.findAround,
      msgFindBefore: (query) => S.findAround({ ...query, direction: 'before' }),
      msgFindAfter: (query) => S.findAround({ ...query, direction: 'after' }),
      msgFindCallLog: async () => [],
      msgFindMedia: async () => ({ messages: [] }),
      msgFindEvents: async () => [],
      msgFindSearch: async () => [],
      msgFindStarred: async () => [],
    }),
    WAWebChatMessageSearch: () => ({ getSearchContext: S.searchContext }),
    WAWebUpdateUnreadChatAction: () => ({
      markUnread: async () => {},
      sendSeen: async ({ chat }) => {
        S.tell('seen', { chat: String(chat.id) });
        chat.unreadCount = 0;
      },
    }),
    WAWebChatStateBridge: () => ({
      markComposing: async (chat) => S.tell('composing', { chat: String(chat.id) }),
      markPaused: async (chat) => S.tell('paused', { chat: String(chat.id) }),
      markRecording: async () => {},
    }),
    WAWebChatGetters: () => ({
      getHasUnread: (chat) => chat.unreadCount !== 0,
      getShouldAppearInList: () => true,
      getPreviewMessage: () => null,
      getShowChangeNumberNotification: () => false,
      getShouldShowUnreadDivider: () => false,
    }),
    WAWebMsgReply: () => ({ canReplyMsg: () => true }),
    WAWebMsgGetters: () => ({
      getIsUnreadType: () => true,
      getQuotedMsgObj: () => undefined,
      getAck: (message) => message.ack,
    }),
    WAWebOpaqueData: () => ({ default: OpaqueData }),
    WAWebPrepRawMedia: () => ({
      MediaPrep: S.MediaPrep,
      uploadProductImage() {},
      prepRawMedia: (opaque, options) => new S.MediaPrep(opaque, options),
    }),
    WAWebMediaGatingUtils: () => ({ getUploadLimit: () => S.config.upload_limit_bytes }),
    WAWebSendMsgCreateProto: () => ({ createMsgProtobuf: () => ({}) }),
    WAWebEncryptAndSendMsg: () => ({ encryptAndSendMsg: async () => ({}) }),
    WAWebCreateChat: () => ({ createChatRecord: async () => undefined }),
    WAWebBackendJobsCommon: () => ({
      mediaTypeFromProtobuf: () => null,
      typeAttributeFromProtobuf: () => 'text',
      encodeMaybeMediaType: () => null,
    }),
  };

  const people = {
    WAWebQueryExistsJob: () => ({ queryPhoneExists: async () => null, queryWidExists: (wid) => S.askExists(wid) }),
    WAWebApiContact: () => ({
      lidPnCache: S.lidPnCache,
      getCurrentLid: S.lidPnCache.getCurrentLid,
      getPhoneNumber: S.lidPnCache.getPhoneNumber,
    }),
    WAWebLidMigrationUtils: () => ({
      Lid1X1MigrationUtils: {
        isLidMigrated: () => true,
        isSyncdSessionMigrated: () => true,
        shouldApplyNonMigratedMessagingRules: () => false,
      },
    }),
    // What wa-js grafts onto the prototypes of its contact and chat models.
    WAWebContactGetters: () => ({
      ...each(
        'getPremiumMessageName getUserid getUserhash getIsUser getIsGroup getIsBroadcast getIsNewsletter getIsPSA'
          + ' getIsIAS getIsSupportAccount getIsWAContact getCanRequestPhoneNumber'
          + ' getShowBusinessCheckmarkAsPrimary getShowBusinessCheckmarkAsSecondary'
          + ' getShowBusinessCheckmarkInChatlist getIsDisplayNameApproved getShouldForceBusinessUpdate',
        () => () => undefined),
      getNotifyName: (contact) => contact.pushname,
      getIsMe: (contact) => Boolean(S.me()?.equals(contact.id)),
    }),
    WAWebFrontendContactGetters: () => ({
      ...each(
        'getTextStatusString getDisplayName getDisplayNameOrPnForLid getUserDisplayNameForLid getFormattedPhone'
          + ' getSearchName getFormattedShortNameWithNonBreakingSpaces getFormattedShortName getFormattedName'
          + ' getFormattedUser',
        () => nameOf),
      getPhoneNumber: phoneOf,
      getPnForLid: phoneOf,
    }),
    WAWebContactIsMyContact: () => ({
      getIsMyContact: (contact) => Boolean(contact.name),
      getMentionName: nameOf,
    }),
    WAWebContactSearchGetters: () => ({ getSearchVerifiedName: () => '', getHeader: () => '' }),
  };

  S.modules = { ...core, ...stores, ...connection, ...messages, ...people };
})();
