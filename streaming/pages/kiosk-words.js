// What the kiosk page says, by language. A language without words of its own gets English around its own answers.

const WORDS = {
  en: {
    made: "AI-generated",
    hello: "Hello, how can I help you?",
    disclosure: "You are talking with AI.",
    disclosureMore: "Picture, voice and answers are generated. A person can take over at any time.",
    language: "Language",
    start: "Start talking",
    startSilent: "Start without microphone",
    connecting: "One moment, your assistant is coming…",
    lost: "The connection is lost. Coming back…",
    missing: "This service is not available.",
    full: "All assistants are talking with others. You are next, please wait…",
    blocked: "No picture gets through: the network may block it. Trying again…",
    waiting: "One moment…",
    listening: "I am listening",
    hearing: "I hear you",
    thinking: "Let me think…",
    speaking: "Speaking",
    person_mode: "A colleague is answering",
    quiet: "Ask me by touch or text",
    log: "Conversation",
    questions: "Common questions",
    write: "Write a question",
    send: "Send",
    person: "Talk to a person",
    end: "End",
    microphoneOn: "Microphone on",
    microphoneOff: "Microphone off",
    microphoneAsking: "Please allow…",
    microphoneNone: "No microphone",
    turnOff: "Turn the microphone off",
    turnOn: "Turn the microphone on",
    soundOn: "Tap for sound",
    retry: "Try again",
    type: "I will type instead",
    deniedTitle: "The microphone is blocked",
    denied: "The browser may not use it. Tap the sign beside the address, allow the microphone, and try again. You can also type or tap a question.",
    missingTitle: "No microphone found",
    missingDevice: "Connect one and try again. You can also type or tap a question.",
    busyTitle: "The microphone does not answer",
    busy: "Another program may be using it. You can also type or tap a question.",
    insecureTitle: "No microphone on this address",
    insecure: "Browsers allow a microphone only on addresses that begin with https. You can still type or tap a question.",
    deafTitle: "I cannot hear at the moment",
    you: "You",
    anchor: "Assistant",
    colleague: "Colleague",
    sources: "From",
    yes: "Yes",
    no: "No",
    confirm: "Is this right?",
    offline: "Not sent: there is no connection now. Please try again.",
    there: "Are you still there?",
    thereMore: "Otherwise I will end our conversation and forget it in",
    here: "I am still here",
    again: "Start again",
    overTitle: "Goodbye!",
    absence: "Nobody was there any more. Everything has been forgotten.",
    visitor: "Thank you for your visit.",
    operator: "A colleague has ended the conversation. Thank you for your visit.",
    shutdown: "The service is being restarted. Please come back in a moment.",
    lostEnd: "The connection was lost for too long.",
  },
  zh: {
    made: "人工智能生成",
    hello: "您好，请问需要办理什么业务？",
    disclosure: "您正在与人工智能对话。",
    disclosureMore: "形象、声音与回答均由人工智能生成，您可随时转人工。",
    language: "语言",
    start: "开始对话",
    startSilent: "不使用麦克风",
    connecting: "请稍候，正在接通…",
    lost: "连接中断，正在恢复…",
    missing: "此服务暂不可用。",
    full: "当前咨询人数较多，请稍候…",
    blocked: "画面无法送达，网络可能有限制。正在重试…",
    waiting: "请稍候…",
    listening: "请讲，我在听",
    hearing: "正在听您说",
    thinking: "正在思考…",
    speaking: "正在回答",
    person_mode: "工作人员正在为您服务",
    quiet: "请点选或输入您的问题",
    log: "对话内容",
    questions: "常见问题",
    write: "输入您的问题",
    send: "发送",
    person: "转人工",
    end: "结束",
    microphoneOn: "麦克风已开",
    microphoneOff: "麦克风已关",
    microphoneAsking: "请允许使用…",
    microphoneNone: "没有麦克风",
    turnOff: "关闭麦克风",
    turnOn: "打开麦克风",
    soundOn: "点按开启声音",
    retry: "重试",
    type: "改用文字",
    deniedTitle: "麦克风被禁用",
    denied: "浏览器未获准使用麦克风。请点按地址栏旁的图标，允许使用麦克风后重试；也可以输入文字或点选问题。",
    missingTitle: "未找到麦克风",
    missingDevice: "请连接麦克风后重试；也可以输入文字或点选问题。",
    busyTitle: "麦克风没有响应",
    busy: "它可能正被其他程序使用；您也可以输入文字或点选问题。",
    insecureTitle: "此地址无法使用麦克风",
    insecure: "浏览器只允许 https 地址使用麦克风；您仍可输入文字或点选问题。",
    deafTitle: "暂时无法语音交流",
    you: "您",
    anchor: "智能助手",
    colleague: "工作人员",
    sources: "来源",
    yes: "是",
    no: "否",
    confirm: "请确认以上信息是否正确？",
    offline: "未发送：当前没有连接，请重试。",
    there: "您还在吗？",
    thereMore: "如无操作，对话将结束并清除，剩余",
    here: "我还在",
    again: "重新开始",
    overTitle: "再见！",
    absence: "长时间无人操作，对话内容已清除。",
    visitor: "感谢您的光临。",
    operator: "工作人员已结束对话，感谢您的光临。",
    shutdown: "服务正在重启，请稍后再来。",
    lostEnd: "连接中断时间过长。",
  },
};

const base = (tag) => tag.toLowerCase().split("-")[0];

export const wordsFor = (language) => WORDS[base(language)] ?? WORDS.en;

// Which of the languages that there are suits a wish best: the same, one of the same base, or none.
export const nearest = (languages, wish) =>
  languages.find((one) => one.toLowerCase() === wish.toLowerCase()) ?? languages.find((one) => base(one) === base(wish));

// A text of several languages in one of them.
export function textIn(texts, language) {
  const tag = nearest(Object.keys(texts), language) ?? nearest(Object.keys(texts), "en") ?? Object.keys(texts)[0];
  return texts[tag] ?? "";
}

// A language by its own name: 中文, English; with its region where there is another of the same base.
export function nameOf(tag, languages) {
  const alone = languages.filter((one) => base(one) === base(tag)).length === 1;
  const asked = alone ? base(tag) : tag;
  const name = new Intl.DisplayNames([tag], { type: "language" }).of(asked);
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}

// What is spoken decides glyphs and a screen reader's voice; what is read around it is in the page's words.
export const wordsLanguage = (language) => (WORDS[base(language)] ? language : "en");
