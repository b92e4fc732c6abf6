"""Emergencies that visitors tell of, by their words. Better one too many: somebody comes and looks."""

from __future__ import annotations

from collections.abc import Sequence
from re import Pattern
from typing import Literal

from anchor.interactive.wording import any_of, holds, plain

Crisis = Literal["self_harm", "duress", "medical", "fraud"]

_SOMEBODY = (
    r"(?:i|he|she|somebody|someone|(?:my|this|that|the|a|an) (?:\w+ )?(?:husband|wife|mother|father|mum|mom|dad|"
    r"son|daughter|"
    r"friend|man|woman|lady|gentleman|child|baby|person|customer|guy|grandmother|grandfather|colleague))"
)
_CRISES: dict[Crisis, Pattern[str]] = {
    "self_harm": any_of(
        r"\b(?:kill|hurt|harm|cut|hang|shoot|drown) myself\b|\b(?:commit|committing|attempt|considering|"
        r"about) suicide\b|\bsuicidal\b|^suicide$",
        r"\bend (?:my life|it all)\b|\btake my own life\b|\bi (?:just )?(?:want|wanna|wish|am going|"
        r"'m going) (?:to )?(?:die|be dead|i was dead)\b",
        r"\b(?:don'?t|do not) (?:want to|wanna) (?:live|be alive|go on living)\b|\bno reason to (?:live|"
        r"go on)\b|\bself harm\b",
        r"\bbetter off dead\b|\bcan'?t go on (?:living|like this|any ?more)\b|\bwish i (?:was|were) dead\b|"
        r"\bjump off (?:a|the) (?:bridge|building|roof)\b",
        r"自杀(?!式)|不想活|活不下去|(?<!不)想死(?!你|机|了你)|轻生|自残|自尽|割腕|(?:想|要|去)跳(?:楼|河|桥)|"
        r"上吊|结束(?:自己的?|我的?|这条)?生命",
        r"活着没(?:有)?(?:什么)?(?:意思|意义)|死了算了|不如死了|寻短见|去死算了|一了百了",
        r"死にたい|自殺し|quiero morir|suicidarme|envie de mourir|me suicider|will (?:ich )?sterben|"
        r"mich umbringen|죽고 싶|자살하",
    ),
    "duress": any_of(
        r"\b(?:being|getting|been|was|were|just got|got) (?:robbed|mugged|kidnapped|held up|held hostage|"
        r"taken hostage|attacked|blackmailed)\b",
        r"\b(?:this|it) is a (?:robbery|hold ?up|stick ?up)\b|\b(?:a|the|an armed) robbery (?:is|in|going|"
        r"happening)\b|\bthere'?s a robb(?:ery|er)\b|\brobbers?\b.{0,20}\b(?:here|inside|bank|branch)\b",
        r"\b(?:has|have|with|got|'s got|holding|pointing|pulled|carrying) (?:a |an |his |her )?(?:gun|knife|"
        r"weapon|pistol|rifle|bomb)\b|\bat (?:gun|knife) ?point\b",
        r"\b(?:forc(?:ing|ed|es)|making|coercing|threaten(?:ing|ed|s)) (?:me|us|my \w+)\b(?! (?:think|feel|wait|"
        r"wonder|laugh|happy|smile|sad|angry|nervous))|\bagainst my will\b|\bhold(?:ing)? (?:me|us) hostage\b|"
        r"\bhelp me i'?m in danger\b|\bi'?m in danger\b",
        r"抢劫(?!险)|打劫|被抢(?!光|购|完|空|走了名额|先)|劫匪|歹徒|劫持|绑架|挟持|勒索|(?:拿|持|带|有|"
        r"掏出)(?:着|了)?(?:刀|枪|炸弹|凶器)(?!具|架|片|法)",
        r"(?:逼|强迫|胁迫|威胁)(?:着)?(?:我|我们)(?!们?(?:的)?安全)|人身威胁|救命|报警(?!器)(?:吧|$|快|"
        r"啊)?.{0,4}(?:快|有人|抢|打)|(?:快|帮我|赶紧|马上)报警",
        r"強盗|me están robando|atraco|on me (?:vole|braque|menace)|überfall|강도",
    ),
    "medical": any_of(
        r"\b(?:having|had|has|having) (?:a |an )?(?:heart attack|stroke|seizure|asthma attack|"
        r"allergic reaction)\b|\bcan(?:'?t|not) breathe\b|\b(?:not|isn'?t|stopped) breathing\b|"
        r"\bhard to breathe\b",
        r"\bchest (?:pain|hurts)|\bpain in my chest\b|\bcall (?:an |the )?ambulance\b|\bneed (?:an |"
        r"the )?(?:ambulance|doctor|paramedic)\b|\bmedical emergency\b|\bneed medical (?:help|attention)\b",
        rf"\b{_SOMEBODY} (?:just |has |have |is |was )*(?:collapsed|fainted|passed out|unconscious|choking|"
        rf"fainting|bleeding|passing out|overdosed|dying)\b|\bi(?:'m| am) (?:choking|bleeding|fainting|"
        rf"going to faint|about to faint|passing out)\b|\bbleeding (?:badly|heavily)\b|\boverdose\b",
        r"心脏病(?:发作|犯了|发了)|心梗|心绞痛|晕倒|昏倒|昏迷|昏过去|晕过去|晕厥|喘不(?:上|过)(?:来)?气|呼吸困难|"
        r"不能呼吸|胸(?:口)?(?:很|好|特别)?(?:疼|痛|闷)|中风|脑梗",
        r"(?:叫|打|拨)(?:个|一下)?(?:救护车|120(?!\d|元|块|分|万|折))|救护车|流血不止|大出血|抽搐|"
        r"没(?:有)?呼吸了?|不省人事|摔倒(?:了)?(?:起不来|不能动)|"
        r"(?:老人|有人|孩子|他|她|我妈|我爸)(?:突然)?(?:倒下|倒地)|快不行了|过敏休克|低血糖(?:了|犯了|晕)",
        r"救急車|ambulancia|infarto|ambulance s'il|crise cardiaque|krankenwagen|herzinfarkt|구급차|숨을 못",
    ),
    "fraud": any_of(
        r"\b(?:told|tells?|telling|asked|asks|asking|instructed|ordered|convinced|tricked) (?:me |us )?(?:to|"
        r"into) (?:\w+ ){0,2}(?:transfer(?:ring)?|move|moving|send(?:ing)?|wire|wiring|withdraw|deposit|"
        r"pay(?:ing)?)\b.{0,40}\b(?:account|money|funds|savings|cards?|bitcoin|crypto|fee|them|him|her|fine|"
        r"bail)\b",
        r"\b(?:to|into|in) (?:a |the |their |this |some )?(?:safe|secure|police|government) account\b|"
        r"\bsafe account\b.{0,20}\b(?:told|said|asked|police)\b|\bi ?(?:was|am|'m|think i was|think i am|"
        r"think i'm|have been|'ve been|'ve just been|got|just got|might have been|may have been)(?: being| just|"
        r" getting)* (?:scammed|defrauded|conned|tricked|phished|hacked|swindled|cheated)\b",
        r"\b(?:this|it|that) (?:is|may be|might be|could be|must be|sounds like|looks like|was) (?:a )?(?:scam|"
        r"fraud)\b|\bbuy(?:ing)? .{0,12}gift cards?\b.{0,30}\b(?:them|him|her|told|police|code|codes|tax)\b|"
        r"\bgift cards?\b.{0,20}\b(?:told|police|asked)\b",
        r"\b(?:someone|somebody|caller|man|woman|he|she|they|who|person)\b.{0,30}\b(?:claim(?:s|ed|ing)?|"
        r"pretend(?:s|ed|ing)?|says?|said|saying) (?:to be|he'?s|she'?s|they'?re|he was|she was|they were|"
        r"they are|he is|she is|being)?\s?(?:from |with )?(?:the |my |a |your )?(?:bank|police|tax office|court|"
        r"prosecutor|customs|irs|fbi|fraud department)\b",
        r"\b(?:asked|wants?|asking|told|made|tricked|got) (?:me )?(?:for|to (?:share|read|give|tell)|"
        r"into giving)(?: (?:him|her|them))? (?:out )?(?:my|the|a) (?:\w+ )?(?:code|password|pin|otp|screen)\b|"
        r"\b(?:someone|somebody|they|he|she) (?:has |have |took |stole |emptied |drained |is |"
        r"are )+(?:stealing |stole |stolen |emptied |drained |took |taken )?(?:my (?:money|savings|account))\b|"
        r"\bremote (?:access|control)\b.{0,20}\b(?:my|phone|computer)\b",
        r"安全账户|安全帐户|公检法|涉嫌(?:洗钱|犯罪|诈骗)|(?:被|遭|受)(?:人|电信|网络|他们?|她|对方)?(?:诈骗|"
        r"骗)(?!保|子)|(?:骗|盗)(?:了|走)(?:我|"
        r"了我)?.{0,6}(?:钱|元|万|块|存款)|我(?:好像|可能|是不是|应该)?(?:被|遇到|碰到|遭遇)(?:了)?(?:到|"
        r"上)?(?:骗|诈骗|骗子|电信诈骗)",
        r"(?:让|叫|要|要求|教)我(?:们)?(?:把(?:钱|存款|资金)|马上|赶紧|立刻|赶快)?(?:都|全部)?(?:转账|转到|汇款|"
        r"汇到|打钱|打到|转给|充值|买(?:点卡|礼品卡))|"
        r"(?:警察|公安|法院|检察院|客服|自称).{0,12}(?:让|叫|要)我.{0,10}(?:转|汇|验证码|密码|屏幕共享|下载)|"
        r"刷单.{0,8}(?:被|骗|退不|提不|取不|要我|让我)|"
        r"(?:盗刷|钱被(?:转走|取走|偷|盗))|屏幕共享.{0,10}(?:让|要|转|钱)",
        r"振り込め詐欺|オレオレ詐欺|me han estafado|estafa|arnaqu[eé]|betrogen|보이스피싱|사기를? 당",
    ),
}
_NO_CRISIS = any_of(
    r"\binsur(?:ance|ed|e)\b|\bpolicy\b|\bclause\b|\bcover(?:s|ed|age)?\b|\b(?:daylight|highway) robbery\b|"
    r"\bmovie\b|\bfilm\b|\bnovel\b|\bgame\b|\bjust kidding\b",
    r"保险|险(?:保|赔|包|能|会)|理赔|保障|保单|险种|电影|电视剧|小说|游戏|新闻(?:里|上)?(?:说|报道)",
    r"\b(?:how|what|tips?|advice|prevent|avoid|protect|recogni[sz]e)\b.{0,30}\b(?:scams?|fraud|"
    r"phishing)\b(?! (?:me|my))",
    r"防(?:范)?(?:电信)?(?:诈|骗)|反诈|怎么(?:识别|防|避免|预防)|如何(?:识别|防|避免|预防)|什么是(?:安全账户|"
    r"电信诈骗|诈骗)|避免被骗|防止被骗|宣传",
)
_HEALTH_OF_MACHINES = any_of(
    r"\b(?:phone|computer|app|battery|market|price|system|machine|screen|website) (?:just |has |is |"
    r"was )*(?:died|dead|dying|collapsed)\b",
    r"死机",
)


def crisis(text: str, more: Sequence[str] = ()) -> Crisis | Literal["told"] | None:
    """Which emergency a text tells of; "told" for one of `more`, phrases that somebody wants taken for one."""
    said = plain(text)
    if holds(said, more):
        return "told"
    if _NO_CRISIS.search(said) or _HEALTH_OF_MACHINES.search(said):
        return None
    return next((kind for kind, pattern in _CRISES.items() if pattern.search(said)), None)


def is_crisis(text: str, more: Sequence[str] = ()) -> bool:
    return crisis(text, more) is not None
