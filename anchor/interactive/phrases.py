"""What visitors say that a conversation must understand without any dialogue: tables, in English and Chinese first.

Patterns are searched in a text as `_plain` makes it: lower case, signs as single spaces. Those built by `_whole` must be
all that was said, but for politeness around it: "stop" is a command, "stop a payment" is business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from anchor.interactive.spoken import SPOKEN as SPOKEN

Crisis = Literal["self_harm", "duress", "medical", "fraud"]


def _plain(text: str) -> str:
    """Lower case, full-width signs made ASCII, every sign but the apostrophe a space, no spaces at Chinese characters."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    words = re.sub(r"[^\w']+", " ", folded).strip()
    return re.sub(r"(?<=[\u3040-\u9fff]) | (?=[\u3040-\u9fff])", "", words)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_POLITE = (
    r"(?:please|ok|okay|no|yes|yeah|hey|hi|hello|um+|uh+|oh|ah|well|so|sorry|just|now|can you|could you|would you|will you|"
    r"you can|you|thanks?|thank you|very much|then|there|dear|all right|alright|for now|i said|"
    r"请|麻烦|你|您|先|好的?|好了|那|哎|喂|嘿|嗯+|啊|呃|吧|了|啦|呀|哦|噢|谢谢|对不起|不好意思|抱歉|能不能|可以|能|可不可以|吗|行|呢)"
)


def _whole(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{_POLITE}\s*)*(?:{'|'.join(patterns)})(?:\s*(?:{_POLITE}|{'|'.join(patterns)}))*")


def _added(text: str, phrases: Sequence[str]) -> bool:
    """Whether one of the phrases that were configured is in a plain text."""
    return any(plain in text for phrase in phrases if (plain := _plain(phrase)))


# A person

_STAFF = (
    r"(?:human(?: being| agent| operator)?|(?:real|live|actual|another) (?:person|human|agent)|person|people|agent|"
    r"representative|rep|operator|teller|clerk|cashier|advis[eo]r|consultant|manager|supervisor|staff(?: member)?|employee|"
    r"colleague|customer (?:service|support|care)|member of (?:the )?staff)"
)
_A = r"(?:an? |the |your |some |one of your )?(?:real |live |actual |human |bank |branch )?"
_PERSON = _any(
    rf"\b(?:speak|talk|chat) (?:to|with) {_A}(?:{_STAFF}|someone|somebody|anyone)\b",
    rf"\b(?:connect|transfer|put|pass|hand|switch|forward) me (?:through |over |on )?(?:to|with) {_A}(?:{_STAFF}|someone|somebody)\b",
    rf"\b(?:get|give|find|call|fetch|bring|send) (?:me )?{_A}(?:{_STAFF})\b(?! (?:number|card|code|account|fee|fees|of))",
    rf"\b(?:want|need|like|prefer|see|have) {_A}(?:human|real person|live person|live agent|human agent|representative|operator|"
    r"teller|manager|supervisor|customer service|staff member|member of staff)\b(?! (?:error|rights|resources))",
    r"\b(?:need|want) (?:someone|somebody) (?:to help|real|who)\b",
    r"\bis there (?:a|an|any|some) ?(?:real |live )?(?:human|person|one|body|agent|staff)\b.{0,12}\b(?:here|speak|talk|help|there)\b",
    r"\b(?:can|could) (?:i|you) .{0,12}(?:a )?(?:human|real person|live agent)\b(?! (?:error|rights|resources))",
    r"\bnot (?:a|with a|to a) (?:robot|machine|bot|computer)\b",
    r"\bdon'?t want (?:to (?:talk|speak) (?:to|with) )?(?:a|an|the|this) ?(?:robot|machine|bot|computer|ai)\b",
    r"转(?:接)?(?:到)?(?:一下)?人工|接(?:通)?(?:一下)?人工|(?:要|找|叫|用|换|请|走|想)(?:个|一下|一个)?人工(?!智能|费|湖|呼吸)|人工(?:客服|服务|坐席|座席|柜台|柜员|窗口|台|帮)",
    r"(?:找|叫|要|换|喊|请|派|转|来)(?:个|一个|一下|你们|你们的|位|一位|名|到)?(?:真人|活人|客服|柜员|工作人员|大堂经理|客户经理|经理|主管|领导|服务员|员工)",
    r"(?:跟|和|与|同)(?:个|一个|你们)?(?:真人|活人|人工|工作人员|经理|客服|柜员|人)(?:来)?(?:说|讲|聊|谈|沟通|通话|对话|交流|直接)",
    r"(?:不要|不想|不跟|不和)(?:跟|和)?(?:机器人|机器|ai|电脑)(?:说|聊|讲|谈|$)|有(?:没有)?(?:真人|工作人员|人工)(?:吗|在|可以|能|$)|(?:换|找)(?:个|一个)人(?:来|跟我|和我|帮|$)|有人(?:吗|在吗)$",
    r"(?:係人|搵人|真人)(?:帮手|服务|客服)",
    r"オペレーター|(?:人|担当者|係の人|スタッフ)(?:に|と)(?:代わ|話|繋|つな)",
    r"hablar con (?:una persona|alguien|un agente|un humano)|un agente por favor",
    r"parler (?:à|avec) (?:quelqu'un|une personne|un conseiller|un humain|un agent)",
    r"mit (?:einem menschen|jemandem|einem mitarbeiter|einer person) (?:sprechen|reden)",
    r"상담원|사람(?:이랑|하고|과) (?:얘기|이야기|통화)",
)
_PERSON_WHOLE = _whole(
    rf"(?:an? |the )?{_STAFF}(?: please)?", r"人工", r"真人", r"客服", r"工作人员", r"经理", r"找人", r"叫人", r"转接", r"人工客服", r"有人吗"
)
_NO_PERSON = _any(
    r"(?:不用|不要|不需要|别|无需|不想|不必)(?:转|接|找|叫|要|用)?(?:到)?(?:人工(?!智能)|客服|真人|工作人员|经理)",
    r"\b(?:don'?t|do not|no) (?:need|want|have|require) (?:to (?:speak|talk) (?:to|with) )?(?:an? |any )?(?:human|person|agent|operator|representative)\b",
    r"\bwithout (?:speaking|talking) to\b",
    r"\b(?:estate|travel|insurance|tax|letting|shipping|collection) agents?\b",
    r"\bper person\b|\bin person\b",
)


def wants_person(text: str, more: Sequence[str] = ()) -> bool:
    """The visitor asks for a person. `more` are phrases that ask for one, too."""
    plain = _plain(text)
    if _added(plain, more):
        return True
    if _NO_PERSON.search(plain):
        return False
    return _PERSON_WHOLE.fullmatch(plain) is not None or _PERSON.search(plain) is not None


# A crisis

_SOMEBODY = (
    r"(?:i|he|she|somebody|someone|(?:my|this|that|the|a|an) (?:\w+ )?(?:husband|wife|mother|father|mum|mom|dad|son|daughter|"
    r"friend|man|woman|lady|gentleman|child|baby|person|customer|guy|grandmother|grandfather|colleague))"
)
_CRISES: dict[Crisis, re.Pattern[str]] = {
    "self_harm": _any(
        r"\b(?:kill|hurt|harm|cut|hang|shoot|drown) myself\b|\b(?:commit|committing|attempt|considering|about) suicide\b|\bsuicidal\b|^suicide$",
        r"\bend (?:my life|it all)\b|\btake my own life\b|\bi (?:just )?(?:want|wanna|wish|am going|'m going) (?:to )?(?:die|be dead|i was dead)\b",
        r"\b(?:don'?t|do not) (?:want to|wanna) (?:live|be alive|go on living)\b|\bno reason to (?:live|go on)\b|\bself harm\b",
        r"\bbetter off dead\b|\bcan'?t go on (?:living|like this|any ?more)\b|\bwish i (?:was|were) dead\b|\bjump off (?:a|the) (?:bridge|building|roof)\b",
        r"自杀(?!式)|不想活|活不下去|(?<!不)想死(?!你|机|了你)|轻生|自残|自尽|割腕|(?:想|要|去)跳(?:楼|河|桥)|上吊|结束(?:自己的?|我的?|这条)?生命",
        r"活着没(?:有)?(?:什么)?(?:意思|意义)|死了算了|不如死了|寻短见|去死算了|一了百了",
        r"死にたい|自殺し|quiero morir|suicidarme|envie de mourir|me suicider|will (?:ich )?sterben|mich umbringen|죽고 싶|자살하",
    ),
    "duress": _any(
        r"\b(?:being|getting|been|was|were|just got|got) (?:robbed|mugged|kidnapped|held up|held hostage|taken hostage|attacked|blackmailed)\b",
        r"\b(?:this|it) is a (?:robbery|hold ?up|stick ?up)\b|\b(?:a|the|an armed) robbery (?:is|in|going|happening)\b|\bthere'?s a robb(?:ery|er)\b|\brobbers?\b.{0,20}\b(?:here|inside|bank|branch)\b",
        r"\b(?:has|have|with|got|'s got|holding|pointing|pulled|carrying) (?:a |an |his |her )?(?:gun|knife|weapon|pistol|rifle|bomb)\b|\bat (?:gun|knife) ?point\b",
        r"\b(?:forc(?:ing|ed|es)|making|coercing|threaten(?:ing|ed|s)) (?:me|us|my \w+)\b(?! (?:think|feel|wait|wonder|laugh|happy|smile|sad|angry|nervous))|\bagainst my will\b|\bhold(?:ing)? (?:me|us) hostage\b|\bhelp me i'?m in danger\b|\bi'?m in danger\b",
        r"抢劫(?!险)|打劫|被抢(?!光|购|完|空|走了名额|先)|劫匪|歹徒|劫持|绑架|挟持|勒索|(?:拿|持|带|有|掏出)(?:着|了)?(?:刀|枪|炸弹|凶器)(?!具|架|片|法)",
        r"(?:逼|强迫|胁迫|威胁)(?:着)?(?:我|我们)(?!们?(?:的)?安全)|人身威胁|救命|报警(?!器)(?:吧|$|快|啊)?.{0,4}(?:快|有人|抢|打)|(?:快|帮我|赶紧|马上)报警",
        r"強盗|me están robando|atraco|on me (?:vole|braque|menace)|überfall|강도",
    ),
    "medical": _any(
        r"\b(?:having|had|has|having) (?:a |an )?(?:heart attack|stroke|seizure|asthma attack|allergic reaction)\b|\bcan(?:'?t|not) breathe\b|\b(?:not|isn'?t|stopped) breathing\b|\bhard to breathe\b",
        r"\bchest (?:pain|hurts)|\bpain in my chest\b|\bcall (?:an |the )?ambulance\b|\bneed (?:an |the )?(?:ambulance|doctor|paramedic)\b|\bmedical emergency\b|\bneed medical (?:help|attention)\b",
        rf"\b{_SOMEBODY} (?:just |has |have |is |was )*(?:collapsed|fainted|passed out|unconscious|choking|fainting|bleeding|passing out|overdosed|dying)\b|\bi(?:'m| am) (?:choking|bleeding|fainting|going to faint|about to faint|passing out)\b|\bbleeding (?:badly|heavily)\b|\boverdose\b",
        r"心脏病(?:发作|犯了|发了)|心梗|心绞痛|晕倒|昏倒|昏迷|昏过去|晕过去|晕厥|喘不(?:上|过)(?:来)?气|呼吸困难|不能呼吸|胸(?:口)?(?:很|好|特别)?(?:疼|痛|闷)|中风|脑梗",
        r"(?:叫|打|拨)(?:个|一下)?(?:救护车|120(?!\d|元|块|分|万|折))|救护车|流血不止|大出血|抽搐|没(?:有)?呼吸了?|不省人事|摔倒(?:了)?(?:起不来|不能动)|(?:老人|有人|孩子|他|她|我妈|我爸)(?:突然)?(?:倒下|倒地)|快不行了|过敏休克|低血糖(?:了|犯了|晕)",
        r"救急車|ambulancia|infarto|ambulance s'il|crise cardiaque|krankenwagen|herzinfarkt|구급차|숨을 못",
    ),
    "fraud": _any(
        r"\b(?:told|tells?|telling|asked|asks|asking|instructed|ordered|convinced|tricked) (?:me |us )?(?:to|into) (?:\w+ ){0,2}(?:transfer(?:ring)?|move|moving|send(?:ing)?|wire|wiring|withdraw|deposit|pay(?:ing)?)\b.{0,40}\b(?:account|money|funds|savings|cards?|bitcoin|crypto|fee|them|him|her|fine|bail)\b",
        r"\b(?:to|into|in) (?:a |the |their |this |some )?(?:safe|secure|police|government) account\b|\bsafe account\b.{0,20}\b(?:told|said|asked|police)\b|\bi (?:was|am|'m|think i was|think i am|think i'm|have been|'ve been|got|just got|might have been|may have been)(?: being| just| getting)* (?:scammed|defrauded|conned|tricked|phished|hacked|swindled|cheated)\b",
        r"\b(?:this|it|that) (?:is|may be|might be|could be|must be|sounds like|looks like|was) (?:a )?(?:scam|fraud)\b|\bbuy(?:ing)? .{0,12}gift cards?\b.{0,30}\b(?:them|him|her|told|police|code|codes|tax)\b|\bgift cards?\b.{0,20}\b(?:told|police|asked)\b",
        r"\b(?:someone|somebody|caller|man|woman|he|she|they|who|person)\b.{0,30}\b(?:claim(?:s|ed|ing)?|pretend(?:s|ed|ing)?|says?|said|saying) (?:to be|he'?s|she'?s|they'?re|he was|she was|they were|they are|he is|she is|being)?\s?(?:from |with )?(?:the |my |a |your )?(?:bank|police|tax office|court|prosecutor|customs|irs|fbi|fraud department)\b",
        r"\b(?:asked|wants?|asking|told|made|tricked|got) (?:me )?(?:for|to (?:share|read|give|tell)|into giving)(?: (?:him|her|them))? (?:out )?(?:my|the|a) (?:\w+ )?(?:code|password|pin|otp|screen)\b|\b(?:someone|somebody|they|he|she) (?:has |have |took |stole |emptied |drained |is |are )+(?:stealing |stole |stolen |emptied |drained |took |taken )?(?:my (?:money|savings|account))\b|\bremote (?:access|control)\b.{0,20}\b(?:my|phone|computer)\b",
        r"安全账户|安全帐户|公检法|涉嫌(?:洗钱|犯罪|诈骗)|(?:被|遭|受)(?:人|电信|网络|他们?|她|对方)?(?:诈骗|骗)(?!保|子)|(?:骗|盗)(?:了|走)(?:我|了我)?.{0,6}(?:钱|元|万|块|存款)|我(?:好像|可能|是不是|应该)?(?:被|遇到|碰到|遭遇)(?:了)?(?:到|上)?(?:骗|诈骗|骗子|电信诈骗)",
        r"(?:让|叫|要|要求|教)我(?:们)?(?:把(?:钱|存款|资金)|马上|赶紧|立刻|赶快)?(?:都|全部)?(?:转账|转到|汇款|汇到|打钱|打到|转给|充值|买(?:点卡|礼品卡))|(?:警察|公安|法院|检察院|客服|自称).{0,12}(?:让|叫|要)我.{0,10}(?:转|汇|验证码|密码|屏幕共享|下载)|刷单.{0,8}(?:被|骗|退不|提不|取不|要我|让我)|(?:盗刷|钱被(?:转走|取走|偷|盗))|屏幕共享.{0,10}(?:让|要|转|钱)",
        r"振り込め詐欺|オレオレ詐欺|me han estafado|estafa|arnaqu[eé]|betrogen|보이스피싱|사기를? 당",
    ),
}  # fmt: skip
_NO_CRISIS = _any(
    r"\binsur(?:ance|ed|e)\b|\bpolicy\b|\bclause\b|\bcover(?:s|ed|age)?\b|\b(?:daylight|highway) robbery\b|\bmovie\b|\bfilm\b|\bnovel\b|\bgame\b|\bjust kidding\b",
    r"保险|理赔|保障|保单|险种|电影|电视剧|小说|游戏|新闻(?:里|上)?(?:说|报道)",
    r"\b(?:how|what|tips?|advice|prevent|avoid|protect|recogni[sz]e)\b.{0,30}\b(?:scams?|fraud|phishing)\b(?! (?:me|my))",
    r"防(?:范)?(?:电信)?(?:诈|骗)|反诈|怎么(?:识别|防|避免|预防)|如何(?:识别|防|避免|预防)|什么是(?:安全账户|电信诈骗|诈骗)|避免被骗|防止被骗|宣传",
)
_HEALTH_OF_MACHINES = _any(r"\b(?:phone|computer|app|battery|market|price|system|machine|screen|website) (?:just |has |is |was )*(?:died|dead|dying|collapsed)\b", r"死机")  # fmt: skip


def crisis(text: str, more: Sequence[str] = ()) -> Crisis | Literal["told"] | None:
    """Which emergency a text tells of; "told" for one of `more`, phrases that somebody wants taken for one."""
    plain = _plain(text)
    if _added(plain, more):
        return "told"
    if _NO_CRISIS.search(plain) or _HEALTH_OF_MACHINES.search(plain):
        return None
    return next((kind for kind, pattern in _CRISES.items() if pattern.search(plain)), None)


def is_crisis(text: str, more: Sequence[str] = ()) -> bool:
    return crisis(text, more) is not None


# Small things

_NOISE = r"(?:[\[(<*♪]+\s*[^\])>*♪]{0,30}[\])>*♪]+)"
_BACKCHANNELS = {
    "en": r"uh huh|uh hu|mm+ hm+|m+h+m+|mm+|hm+|um+|uh+|ah+|oh+|aha|huh|ok|okay|okey|right|yeah|yea|yes|yep|yup|sure|i see|got it|gotcha|"
    r"all right|alright|fine|good|great|nice|wow|really|cool|interesting|i understand|understood|of course|indeed|exactly|true|"
    r"thanks|thank you|go on|ha+|haha|hehe|cough|ahem|right right",
    "zh": r"嗯哼|嗯+|唔+|哦+|噢+|喔+|啊+|呃+|额|哎|诶|欸|哈+|呵+|嘿+|对+的?|是+的?|是吗|是啊|对啊|好+的?|好吧|好啊|行+|可以|没错|明白了?|知道了?|了解了?|懂了?|"
    r"这样啊?|这样子|原来如此|原来是这样|真的吗?|当然|没问题|谢谢|咳+|ok|okay|yes|yeah|mm+|继续|有道理|不错",
    "ja": r"はい+|ええ|うん+|そう(?:です(?:か|ね)?)?|なるほど|へえ|ふーん|あ+|え+|はあ|了解|わかりました|ok",
    "es": r"sí+|si|ajá|aja|vale|claro|ya|bueno|ok|okay|mm+|ah+|entiendo|perfecto|gracias",
    "fr": r"oui|ouais|d'accord|ok|okay|mm+|ah+|bien|très bien|je vois|euh+|voilà|merci",
    "de": r"ja+|genau|okay|ok|mhm+|hm+|mm+|ach so|aha|gut|alles klar|verstehe|stimmt|danke",
    "ko": r"네+|예+|응+|음+|아+|어+|그렇군요|알겠습니다|맞아요|그래요|ok",
}
_BACKCHANNEL = {language: re.compile(rf"(?:(?:{words})\s*){{1,5}}") for language, words in _BACKCHANNELS.items()}


def is_backchannel(text: str, language: str) -> bool:
    """What a listener says without wanting to speak: "uh-huh", 嗯, a cough; also no words at all.

    "Yes" and 好的 are among them: they answer a question only where one was asked, which a text does not show.
    """
    plain = _plain(re.sub(_NOISE, " ", text))
    if not plain:
        return True
    known = _BACKCHANNEL.get(language.lower().split("-")[0])
    return any(pattern.fullmatch(plain) for pattern in (known, _BACKCHANNEL["en"]) if pattern is not None)


_STOP = _whole(
    r"stop(?: it| that| talking| speaking| right there| now)?", r"wait(?: a (?:minute|second|moment|sec))?", r"(?:hold|hang) on(?: a (?:minute|second|moment|sec))?",
    r"pause", r"shut up", r"(?:be )?(?:quiet|silent)", r"silence", r"(?:that's |that is )?enough", r"one (?:moment|second|sec|minute)", r"cancel(?: that| it)?",
    r"stop stop", r"never ?mind", r"hush", r"let me (?:speak|talk|finish)", r"don'?t (?:talk|speak)",
    r"停(?:一下|下来?|止|一停)?", r"(?:别|不要|不用|甭|先别|先不要)(?:再)?(?:说|讲|念)(?:了|下去了?|话了?)?", r"闭嘴", r"打住", r"等(?:等|一下|一会儿?|会儿?|下|我一下|一等)", r"安静(?:一下|点|一点)?",
    r"够了", r"暂停(?:一下)?", r"慢着", r"且慢", r"住口", r"稍等(?:一下)?", r"行了行了", r"算了", r"取消", r"听我说", r"让我说",
    r"待って(?:ください)?", r"止めて|やめて|ストップ", r"para|alto|espera|basta|un momento", r"arrêtez?|attendez|stop|une? (?:moment|minute|seconde)", r"halt|warten? sie|moment(?: mal)?|stopp", r"멈춰|잠깐(?:만요?)?|그만",
)  # fmt: skip
_AGAIN = _whole(
    r"(?:repeat|say)(?: (?:that|it|this|what you said))?(?: (?:again|once more|one more time|slowly|slower|more slowly))", r"repeat(?: (?:that|it|please|the (?:question|answer)))?",
    r"again", r"(?:once|one time) (?:more|again)", r"one more time", r"(?:i beg your )?pardon(?: me)?", r"come again", r"excuse me", r"what(?: was that| did you say| are you saying)?", r"say what",
    r"(?:i )?(?:didn'?t|did not|couldn'?t|can'?t|could not|cannot) (?:quite )?(?:catch|hear|get|understand|make out) (?:that|you|it|what you said|a word)(?: (?:properly|clearly|very well|well))?", r"speak up", r"(?:speak |a bit )?louder", r"slower", r"speak (?:more slowly|slower)", r"sorry what", r"missed that", r"i missed (?:that|it|what you said)",
    r"(?:再|重新|从头)(?:说|讲|念|来|重复|播|读)(?:一)?(?:遍|次|下|回)", r"重复(?:一)?(?:遍|下|次)?(?:刚才的?(?:话|内容))?", r"(?:我)?(?:刚才|刚刚)?(?:没|没有|听不)(?:太)?(?:听)?(?:清楚?|见|懂|到|明白|清)", r"(?:你|您)?(?:刚才|刚刚)?(?:说|讲)(?:的)?(?:是)?(?:什么|啥)", r"什么", r"啥", r"大声(?:一)?点(?:儿)?", r"(?:说)?慢(?:一)?点(?:儿)?(?:说)?", r"再说(?:一)?遍(?:刚才的)?",
    r"もう一度(?:お願いします|言ってください)?", r"(?:puede |puedes )?repet(?:ir|ir eso|irlo|a|e)|otra vez|cómo", r"(?:pouvez vous )?répét(?:er|ez)(?: s'il vous plaît)?|pardon|encore une fois", r"wie bitte|(?:noch ?mal|noch einmal)(?: bitte)?|wiederholen(?: sie)?(?: bitte| das)?", r"다시 (?:한번 )?(?:말해 ?주세요|말씀해 ?주세요)|뭐라고요",
)  # fmt: skip
_BYE = _whole(
    r"(?:good ?)?bye(?: bye)?", r"see (?:you|ya)(?: (?:later|soon|again|tomorrow|around))?", r"farewell", r"take care", r"(?:no )?(?:that's|that is|that'll be|that was) (?:all|it|everything)(?: (?:i needed|i need|for today|for now|from me|thanks))*", r"nothing (?:else|more)",
    r"(?:i have )?no (?:more|other|further) questions?", r"(?:i'm|i am|we're|we are) (?:done|finished|all set|leaving|off|good to go)", r"(?:i )?(?:have|got) to go(?: now)?|(?:i )?(?:must|should) go(?: now)?", r"have a (?:nice|good|great|lovely) (?:day|one|evening|weekend|afternoon|night)", r"good ?night", r"cheerio", r"so long", r"end (?:the |this )?(?:conversation|session|chat)", r"i'?m leaving(?: now)?",
    r"再见|再會|再会|拜拜|拜|回见|回头见|下次见|明天见|晚安|慢走", r"(?:我)?(?:就)?(?:没有|没)(?:别的|其他|其它|什么)?(?:事|问题|事情|需要|要问的)?(?:了|啦)", r"(?:我)?(?:就)?(?:这些|这样|这么多|这个)(?:就行|就好|就可以|就够)?了", r"(?:我)?(?:问完|办完|说完|弄完|搞定|结束)了?", r"(?:我)?(?:先|要|该)?走了", r"结束(?:对话|会话|服务|聊天|通话)(?:了|吧)?", r"不用了(?:谢谢)?(?:再见|拜拜)", r"祝你(?:工作)?愉快",
    r"さようなら|バイバイ|以上です|失礼します", r"adiós|hasta luego|eso es todo|nada más", r"au revoir|c'est tout|bonne journée", r"tschüss?|auf wiedersehen|das war'?s?|das ist alles", r"안녕히 (?:계세요|가세요)|됐습니다|끝났어요",
)  # fmt: skip


def says_stop(text: str) -> bool:
    """The visitor wants silence, and says nothing else."""
    return _STOP.fullmatch(_plain(text)) is not None


def says_again(text: str) -> bool:
    """The visitor wants to hear the last thing again, and says nothing else."""
    return _AGAIN.fullmatch(_plain(text)) is not None


def says_bye(text: str) -> bool:
    """The visitor takes leave, and says nothing else."""
    return _BYE.fullmatch(_plain(text)) is not None
