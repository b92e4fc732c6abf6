"""What visitors say that a conversation must understand without any dialogue: tables, in English and Chinese first.

What is built by `whole` must be all that was said, but for politeness around it: "stop" is a command, "stop a payment"
is business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from anchor.interactive.crises import Crisis as Crisis
from anchor.interactive.crises import crisis as crisis
from anchor.interactive.crises import is_crisis as is_crisis
from anchor.interactive.spoken import SPOKEN as SPOKEN
from anchor.interactive.wording import Whole, any_of, holds, plain, whole
from anchor.tags import base

# A person

_STAFF = (
    r"(?:human(?: being| agent| operator)?|(?:real|live|actual|another) (?:person|human|agent)|person|people|agent|"
    r"representative|rep|operator|teller|clerk|cashier|advis[eo]r|consultant|manager|supervisor|"
    r"staff(?: member)?|employee|"
    r"colleague|customer (?:service|support|care)|member of (?:the )?staff)"
)
_A = r"(?:an? |the |your |some |one of your )?(?:real |live |actual |human |bank |branch )?"
_PERSON = any_of(
    rf"\b(?:speak|talk|chat) (?:to|with) {_A}(?:{_STAFF}|someone|somebody|anyone)\b",
    rf"\b(?:connect|transfer|put|pass|hand|switch|forward) me (?:through |over |on )?(?:to|with) {_A}(?:{_STAFF}|"
    rf"someone|somebody)\b",
    rf"\b(?:get|give|find|call|fetch|bring|send) (?:me )?{_A}(?:{_STAFF})\b(?! (?:number|card|code|account|fee|"
    rf"fees|of))",
    rf"\b(?:want|need|like|prefer|see|have) {_A}(?:human|real person|live person|live agent|human agent|"
    rf"representative|operator|"
    r"teller|manager|supervisor|customer service|staff member|member of staff)\b(?! (?:error|rights|resources))",
    r"\b(?:need|want) (?:someone|somebody) (?:to help|real|who)\b",
    r"\bis there (?:a|an|any|some) ?(?:real |live )?(?:human|person|one|body|agent|staff)\b.{0,12}\b(?:here|"
    r"speak|talk|help|there)\b",
    r"\b(?:can|could) (?:i|you) .{0,12}(?:a )?(?:human|real person|live agent)\b(?! (?:error|rights|resources))",
    r"\bnot (?:a|with a|to a) (?:robot|machine|bot|computer)\b",
    r"\bdon'?t want (?:to (?:talk|speak) (?:to|with) )?(?:a|an|the|this) ?(?:robot|machine|bot|computer|ai)\b",
    r"转(?:接)?(?:到)?(?:一下)?人工|接(?:通)?(?:一下)?人工|(?:要|找|叫|用|换|请|走|想)(?:个|一下|"
    r"一个)?人工(?!智能|费|湖|呼吸)|人工(?:客服|服务|坐席|座席|"
    r"柜台|柜员|窗口|台|帮)",
    r"(?:找|叫|要|换|喊|请|派|转|来)(?:个|一个|一下|你们|你们的|位|一位|名|到)?(?:真人|活人|客服|柜员|工作人员|"
    r"大堂经理|客户经理|经理|主管|领导|服务员|员工)",
    r"(?:跟|和|与|同)(?:个|一个|你们)?(?:真人|活人|人工|工作人员|经理|客服|柜员|人)(?:来)?(?:说|讲|聊|谈|沟通|"
    r"通话|对话|交流|直接)",
    r"(?:不要|不想|不跟|不和)(?:跟|和)?(?:机器人|机器|ai|电脑)(?:说|聊|讲|谈|$)|有(?:没有)?(?:真人|工作人员|"
    r"人工)(?:吗|在|可以|能|$)|(?:换|找)(?:个|"
    r"一个)人(?:来|跟我|和我|帮|$)|有人(?:吗|在吗)$",
    r"(?:係人|搵人|真人)(?:帮手|服务|客服)",
    r"オペレーター|(?:人|担当者|係の人|スタッフ)(?:に|と)(?:代わ|話|繋|つな)",
    r"hablar con (?:una persona|alguien|un agente|un humano)|un agente por favor",
    r"parler (?:à|avec) (?:quelqu'un|une personne|un conseiller|un humain|un agent)",
    r"mit (?:einem menschen|jemandem|einem mitarbeiter|einer person) (?:sprechen|reden)",
    r"상담원|사람(?:이랑|하고|과) (?:얘기|이야기|통화)",
)
_PERSON_WHOLE = whole(
    rf"(?:an? |the )?{_STAFF}(?: please)?",
    r"人工",
    r"真人",
    r"客服",
    r"工作人员",
    r"经理",
    r"找人",
    r"叫人",
    r"转接",
    r"人工客服",
    r"有人吗",
)
_NO_PERSON = any_of(
    r"(?:不用|不要|不需要|别|无需|不想|不必)(?:转|接|找|叫|要|用)?(?:到)?(?:人工(?!智能)|客服|真人|工作人员|经理)",
    r"\b(?:don'?t|do not|no) (?:need|want|have|require) (?:to (?:speak|talk) (?:to|with) )?(?:an? |"
    r"any )?(?:human|person|agent|operator|representative)\b",
    r"\bwithout (?:speaking|talking) to\b|^no (?:human|person|agent|operator|representative)s?\b",
    r"\b(?:estate|travel|insurance|tax|letting|shipping|collection) agents?\b",
    r"\bper person\b|\bin person\b",
)


def wants_person(text: str, more: Sequence[str] = ()) -> bool:
    """The visitor asks for a person. `more` are phrases that ask for one, too."""
    said = plain(text)
    if holds(said, more):
        return True
    if _NO_PERSON.search(said):
        return False
    return _PERSON_WHOLE.matches(said) or _PERSON.search(said) is not None


# Small things

_NOISE = r"(?:[\[(<*♪]+\s*[^\])>*♪]{0,30}[\])>*♪]+)"
_BACKCHANNELS = {
    "en": r"uh huh|uh hu|mm+ hm+|m+h+m+|mm+|hm+|um+|uh+|ah+|oh+|aha|huh|ok|okay|okey|right|yeah|yea|yes|yep|yup|sure|"
    r"i see|got it|gotcha|"
    r"all right|alright|fine|good|great|nice|wow|really|cool|interesting|i understand|understood|of course|"
    r"indeed|exactly|true|"
    r"thanks|thank you|go on|ha+|haha|hehe|cough|ahem|right right",
    "zh": r"嗯哼|嗯+|唔+|哦+|噢+|喔+|啊+|呃+|额|哎|诶|欸|哈+|呵+|嘿+|对+的?|是+的?|是吗|是啊|对啊|好+的?|好吧|"
    r"好啊|行+|可以|没错|明白了?|知道了?|了解了?|懂了?|"
    r"这样啊?|这样子|原来如此|原来是这样|真的|真的吗|当然|没问题|谢谢|咳+|ok|okay|yes|yeah|mm+|继续|有道理|不错",
    "ja": r"はい+|ええ|うん+|そう|そうです|そうですか|そうですね|なるほど|へえ|ふーん|あ+|え+|はあ|了解|"
    r"わかりました|ok",
    "es": r"sí+|si|ajá|aja|vale|claro|ya|bueno|ok|okay|mm+|ah+|entiendo|perfecto|gracias",
    "fr": r"oui|ouais|d'accord|ok|okay|mm+|ah+|bien|très bien|je vois|euh+|voilà|merci",
    "de": r"ja+|genau|okay|ok|mhm+|hm+|mm+|ach so|aha|gut|alles klar|verstehe|stimmt|danke",
    "ko": r"네+|예+|응+|음+|아+|어+|그렇군요|알겠습니다|맞아요|그래요|ok",
}
_BACKCHANNEL = {language: Whole(*words.split("|")) for language, words in _BACKCHANNELS.items()}


def is_backchannel(text: str, language: str) -> bool:
    """What a listener says without wanting to speak: "uh-huh", 嗯, a cough; also no words at all.

    "Yes" and 好的 are among them: they answer a question only where one was asked, which a text does not show.
    """
    said = plain(re.sub(_NOISE, " ", unicodedata.normalize("NFKC", text)))
    if not said:
        return True
    known = _BACKCHANNEL.get(base(language))
    return any(pattern.matches(said) for pattern in (known, _BACKCHANNEL["en"]) if pattern is not None)


_STOP = whole(
    r"stop(?: it| that| talking| speaking| right there| now)?",
    r"wait(?: a (?:minute|second|moment|sec))?",
    r"(?:hold|hang) on(?: a (?:minute|second|moment|sec))?",
    r"pause",
    r"shut up",
    r"(?:be )?(?:quiet|silent)",
    r"silence",
    r"(?:that's |that is )?enough",
    r"one (?:moment|second|sec|minute)",
    r"cancel(?: that| it)?",
    r"stop stop", r"never ?mind", r"hush", r"let me (?:speak|talk|finish)", r"don'?t (?:talk|speak)",
    r"停(?:一下|下来?|止|一停)?",
    r"(?:别|不要|不用|甭|先别|先不要)(?:再)?(?:说|讲|念)(?:了|下去了?|话了?)?",
    r"闭嘴",
    r"打住",
    r"等(?:等|一下|一会儿?|会儿?|下|我一下|一等)",
    r"安静(?:一下|点|一点)?",
    r"够了",
    r"暂停(?:一下)?",
    r"慢着",
    r"且慢",
    r"住口",
    r"稍等(?:一下)?",
    r"行了行了",
    r"算了",
    r"取消",
    r"听我说",
    r"让我说",
    r"待って(?:ください)?",
    r"止めて|やめて|ストップ",
    r"para|alto|espera|basta|un momento",
    r"arrêtez?|attendez|stop|une? (?:moment|minute|seconde)",
    r"halt|warten? sie|moment(?: mal)?|stopp",
    r"멈춰|잠깐(?:만요?)?|그만",
)  # fmt: skip
_AGAIN = whole(
    r"(?:repeat|say)(?: (?:that|it|this|what you said))?(?: (?:again|once more|one more time|slowly|slower|"
    r"more slowly))",
    r"repeat(?: (?:that|it|please|the (?:question|answer)))?",
    r"again",
    r"(?:once|one time) (?:more|again)",
    r"one more time",
    r"(?:i beg your )?pardon(?: me)?",
    r"come again",
    r"excuse me",
    r"what(?: was that| did you say| are you saying)?",
    r"say what",
    r"(?:i )?(?:didn'?t|did not|couldn'?t|can'?t|could not|cannot) (?:quite )?(?:catch|hear|get|understand|"
    r"make out) (?:that|you|it|what you said|a word)(?: (?:properly|clearly|very well|well))?",
    r"speak up",
    r"(?:speak |a bit )?louder",
    r"slower",
    r"speak (?:more slowly|slower)",
    r"sorry what",
    r"missed that",
    r"i missed (?:that|it|what you said)",
    r"(?:再|重新|从头)(?:说|讲|念|来|重复|播|读)(?:一)?(?:遍|次|下|回)",
    r"重复(?:一)?(?:遍|下|次)?(?:刚才的?(?:话|内容))?",
    r"(?:我)?(?:刚才|刚刚)?(?:没|没有|听不)(?:太)?(?:听)?(?:清楚?|见|懂|到|明白|清)",
    r"(?:你|您)?(?:刚才|刚刚)?(?:说|讲)(?:的)?(?:是)?(?:什么|啥)",
    r"什么",
    r"啥",
    r"大声(?:一)?点(?:儿)?",
    r"(?:说)?慢(?:一)?点(?:儿)?(?:说)?",
    r"再说(?:一)?遍(?:刚才的)?",
    r"もう一度(?:お願いします|言ってください)?",
    r"(?:puede |puedes )?repet(?:ir|ir eso|irlo|a|e)|otra vez|cómo",
    r"(?:pouvez vous )?répét(?:er|ez)(?: s'il vous plaît)?|pardon|encore une fois",
    r"wie bitte|(?:noch ?mal|noch einmal)(?: bitte)?|wiederholen(?: sie)?(?: bitte| das)?",
    r"다시 (?:한번 )?(?:말해 ?주세요|말씀해 ?주세요)|뭐라고요",
)  # fmt: skip
_BYE = whole(
    r"(?:good ?)?bye(?: bye)?",
    r"see (?:you|ya)(?: (?:later|soon|again|tomorrow|around))?",
    r"farewell",
    r"take care",
    r"(?:no )?(?:that's|that is|that'll be|that was) (?:all|it|everything)(?: (?:i needed|i need|for today|"
    r"for now|from me|thanks))*",
    r"nothing (?:else|more)",
    r"(?:i have )?no (?:more|other|further) questions?",
    r"(?:i'm|i am|we're|we are) (?:done|finished|all set|leaving|off|good to go)",
    r"(?:i )?(?:have|got) to go(?: now)?|(?:i )?(?:must|should) go(?: now)?",
    r"have a (?:nice|good|great|lovely) (?:day|one|evening|weekend|afternoon|night)",
    r"good ?night",
    r"cheerio",
    r"so long",
    r"end (?:the |this )?(?:conversation|session|chat)",
    r"i'?m leaving(?: now)?",
    r"再见|再會|再会|拜拜|拜|回见|回头见|下次见|明天见|晚安|慢走",
    r"(?:我)?(?:就)?(?:没有|没)(?:别的|其他|其它|什么)?(?:事|问题|事情|需要|要问的)?(?:了|啦)",
    r"(?:我)?(?:就)?(?:这些|这样|这么多|这个)(?:就行|就好|就可以|就够)?了",
    r"(?:我)?(?:问完|办完|说完|弄完|搞定|结束)了?",
    r"(?:我)?(?:先|要|该)?走了",
    r"结束(?:对话|会话|服务|聊天|通话)(?:了|吧)?",
    r"不用了(?:谢谢)?(?:再见|拜拜)",
    r"祝你(?:工作)?愉快",
    r"さようなら|バイバイ|以上です|失礼します",
    r"adiós|hasta luego|eso es todo|nada más",
    r"au revoir|c'est tout|bonne journée",
    r"tschüss?|auf wiedersehen|das war'?s?|das ist alles",
    r"안녕히 (?:계세요|가세요)|됐습니다|끝났어요",
)  # fmt: skip


_HOLLOW = {
    "en": frozenset(
        """a an the i you he she it we they my your his her its our their this that these those and or but so if of to
        in on at by for from with as is are was were be am do does did have has had will would can could may might
        must oh ten n m""".split()  # noqa: SIM905
    ),
    "zh": frozenset("的了呢吗吧是我你您他她它那这在有和与就都也要会能个么"),
}


def is_hollow(text: str, language: str) -> bool:
    """Whether a text is at most three words that mean nothing alone: what recognisers hear in a hum."""
    said, tongue = plain(text), base(language)
    words = list(said.replace(" ", "")) if tongue == "zh" else said.split()
    return 0 < len(words) <= 3 and all(word in _HOLLOW.get(tongue, ()) for word in words)


def says_stop(text: str) -> bool:
    """The visitor wants silence, and says nothing else."""
    return _STOP.matches(plain(text))


def says_again(text: str) -> bool:
    """The visitor wants to hear the last thing again, and says nothing else."""
    return _AGAIN.matches(plain(text))


def says_bye(text: str) -> bool:
    """The visitor takes leave, and says nothing else."""
    return _BYE.matches(plain(text))
