"""What the conversation says by itself, in every language it is held in."""

from __future__ import annotations

from typing import Literal

from anchor.tags import said

SpokenKey = Literal[
    "greeting", "not_understood", "try_typing", "fallback", "filler", "invite", "goodbye", "hand_over",
    "hand_over_waiting", "nobody_free", "language_switched", "hearing_failed", "no_recognizer", "person_joined",
    "person_left",
]  # fmt: skip
"""``greeting`` says that an AI speaks, and comes before everything else. ``fallback``: the answering service is down;
``filler``: an answer takes long; ``hand_over``: a person was asked for; ``person_joined`` and ``person_left``: one came
and went."""

SPOKEN: dict[str, dict[SpokenKey, str]] = {
    "en": {
        "greeting": "Hello, I am an AI assistant. How can I help you?",
        "not_understood": "Sorry, I did not quite understand that. Could you say it in other words?",
        "try_typing": "I still did not get that. You can also type it, or press one of the buttons.",
        "fallback": "I am sorry, I cannot look that up right now. Please try again in a moment, or ask for a person.",
        "filler": "One moment, let me check.",
        "invite": "Is there anything else I can do for you?",
        "goodbye": "Thank you for coming. Goodbye!",
        "hand_over": "All right, I will get a person for you.",
        "hand_over_waiting": "I have asked for a colleague. Please stay here, somebody will be with you soon.",
        "nobody_free": "I am sorry, nobody is free at the moment. You can wait, or I can go on helping you.",
        "language_switched": "All right, we can speak English.",
        "hearing_failed": "I could not hear that. Could you say it once more, please?",
        "no_recognizer": "I cannot understand speech in English here. Please type, or use the buttons.",
        "person_joined": "A colleague is here now and will go on with you.",
        "person_left": "My colleague has left. You are talking with the AI assistant again.",
    },
    "zh-CN": {
        "greeting": "您好，我是人工智能助手。请问有什么可以帮您？",
        "not_understood": "不好意思，我没太听明白。您能换个说法吗？",
        "try_typing": "抱歉，我还是没有听明白。您也可以打字，或者点一下屏幕上的按钮。",
        "fallback": "很抱歉，我现在查不到这个信息。请您稍后再试，或者告诉我转人工。",
        "filler": "请稍等，我查一下。",
        "invite": "请问还有什么可以帮您？",
        "goodbye": "感谢您的光临，再见！",
        "hand_over": "好的，我为您请一位工作人员。",
        "hand_over_waiting": "已经通知工作人员，请您在这里稍等，马上就来。",
        "nobody_free": "很抱歉，现在没有空闲的工作人员。您可以等一会儿，也可以继续问我。",
        "language_switched": "好的，我们用中文交谈。",
        "hearing_failed": "抱歉，我没有听清楚。请您再说一遍，好吗？",
        "no_recognizer": "我在这里还听不懂中文语音。请您打字，或者点屏幕上的按钮。",
        "person_joined": "工作人员已经到了，接下来由工作人员为您服务。",
        "person_left": "工作人员已经离开，现在由人工智能助手继续为您服务。",
    },
    "ja": {
        "greeting": "こんにちは、AIアシスタントです。どのようなご用件でしょうか。",
        "not_understood": "申し訳ありません、よく分かりませんでした。別の言い方でお話しいただけますか。",
        "try_typing": "申し訳ありません、まだ分かりませんでした。"
        "文字で入力するか、ボタンを押していただくこともできます。",
        "fallback": "申し訳ありません、ただ今お調べできません。"
        "少し後でもう一度お試しいただくか、係の者をお呼びください。",
        "filler": "少々お待ちください、お調べします。",
        "invite": "ほかに何かお手伝いできることはありますか。",
        "goodbye": "ご利用ありがとうございました。",
        "hand_over": "かしこまりました、係の者をお呼びします。",
        "hand_over_waiting": "係の者を呼びました。こちらで少々お待ちください。",
        "nobody_free": "申し訳ありません、ただ今手の空いている係がおりません。"
        "お待ちいただくか、このまま私にお尋ねください。",
        "language_switched": "はい、日本語でお話しします。",
        "hearing_failed": "申し訳ありません、聞き取れませんでした。もう一度お願いできますか。",
        "no_recognizer": "ここでは日本語の音声を聞き取れません。文字で入力するか、ボタンをお使いください。",
        "person_joined": "係の者がまいりました。ここからは係の者がご案内します。",
        "person_left": "係の者は席を外しました。ここからはAIアシスタントがご案内します。",
    },
    "es": {
        "greeting": "Hola, soy un asistente de inteligencia artificial. ¿En qué puedo ayudarle?",
        "not_understood": "Perdone, no le he entendido bien. ¿Puede decirlo de otra manera?",
        "try_typing": "Sigo sin entenderlo. También puede escribirlo o pulsar uno de los botones.",
        "fallback": "Lo siento, ahora mismo no puedo consultarlo. "
        "Inténtelo dentro de un momento o pida hablar con una persona.",
        "filler": "Un momento, voy a comprobarlo.",
        "invite": "¿Puedo ayudarle en algo más?",
        "goodbye": "Gracias por su visita. ¡Hasta luego!",
        "hand_over": "De acuerdo, voy a avisar a una persona.",
        "hand_over_waiting": "He avisado a un compañero. Espere aquí, por favor, enseguida le atienden.",
        "nobody_free": "Lo siento, ahora no hay nadie libre. Puede esperar, o sigo ayudándole yo.",
        "language_switched": "De acuerdo, podemos hablar en español.",
        "hearing_failed": "No he podido oírlo. ¿Puede repetirlo, por favor?",
        "no_recognizer": "Aquí no entiendo el español hablado. Escriba, por favor, o use los botones.",
        "person_joined": "Ya está aquí un compañero, que seguirá con usted.",
        "person_left": "Mi compañero se ha ido. Vuelve a hablar con el asistente de inteligencia artificial.",
    },
    "fr": {
        "greeting": "Bonjour, je suis un assistant d'intelligence artificielle. Que puis-je faire pour vous ?",
        "not_understood": "Pardon, je n'ai pas bien compris. Pouvez-vous le dire autrement ?",
        "try_typing": "Je n'ai toujours pas compris. Vous pouvez aussi écrire, ou appuyer sur un des boutons.",
        "fallback": "Désolé, je ne peux pas le vérifier maintenant. Réessayez dans un instant, "
        "ou demandez une personne.",
        "filler": "Un instant, je vérifie.",
        "invite": "Puis-je faire autre chose pour vous ?",
        "goodbye": "Merci de votre visite. Au revoir !",
        "hand_over": "Très bien, je vais chercher une personne.",
        "hand_over_waiting": "J'ai prévenu un collègue. Restez ici, s'il vous plaît, quelqu'un arrive bientôt.",
        "nobody_free": "Désolé, personne n'est libre pour le moment. Vous pouvez attendre, "
        "ou je continue à vous aider.",
        "language_switched": "D'accord, nous pouvons parler français.",
        "hearing_failed": "Je n'ai pas pu entendre. Pouvez-vous répéter, s'il vous plaît ?",
        "no_recognizer": "Je ne comprends pas le français parlé ici. Écrivez, s'il vous plaît, "
        "ou utilisez les boutons.",
        "person_joined": "Un collègue est là et va continuer avec vous.",
        "person_left": "Mon collègue est parti. Vous parlez de nouveau avec l'assistant d'intelligence artificielle.",
    },
    "de": {
        "greeting": "Guten Tag, ich bin ein KI-Assistent. Wie kann ich Ihnen helfen?",
        "not_understood": "Entschuldigung, das habe ich nicht ganz verstanden. Können Sie es anders sagen?",
        "try_typing": "Das habe ich leider noch nicht verstanden. "
        "Sie können es auch tippen oder einen der Knöpfe drücken.",
        "fallback": "Das kann ich gerade leider nicht nachsehen. Bitte versuchen Sie es gleich noch einmal, "
        "oder fragen Sie "
        "nach einem Menschen.",
        "filler": "Einen Moment, ich sehe nach.",
        "invite": "Kann ich sonst noch etwas für Sie tun?",
        "goodbye": "Danke für Ihren Besuch. Auf Wiedersehen!",
        "hand_over": "Gut, ich hole Ihnen jemanden.",
        "hand_over_waiting": "Ich habe Bescheid gesagt. Bitte bleiben Sie hier, es kommt gleich jemand zu Ihnen.",
        "nobody_free": "Im Moment ist leider niemand frei. Sie können warten, oder ich helfe Ihnen weiter.",
        "language_switched": "Gut, wir können Deutsch sprechen.",
        "hearing_failed": "Das konnte ich nicht hören. Können Sie es bitte noch einmal sagen?",
        "no_recognizer": "Gesprochenes Deutsch verstehe ich hier nicht. Bitte tippen Sie, "
        "oder benutzen Sie die Knöpfe.",
        "person_joined": "Jetzt ist jemand für Sie da und macht mit Ihnen weiter.",
        "person_left": "Die Person ist gegangen. Sie sprechen wieder mit dem KI-Assistenten.",
    },
    "ko": {
        "greeting": "안녕하세요, 저는 인공지능 도우미입니다. 무엇을 도와드릴까요?",
        "not_understood": "죄송합니다, 잘 이해하지 못했습니다. 다른 말로 말씀해 주시겠어요?",
        "try_typing": "죄송합니다, 아직 이해하지 못했습니다. 글로 입력하시거나 버튼을 누르셔도 됩니다.",
        "fallback": "죄송합니다, 지금은 확인할 수 없습니다. 잠시 후 다시 시도하시거나 직원을 불러 주세요.",
        "filler": "잠시만요, 확인해 보겠습니다.",
        "invite": "더 도와드릴 일이 있을까요?",
        "goodbye": "찾아 주셔서 감사합니다. 안녕히 가세요.",
        "hand_over": "네, 직원을 불러 드리겠습니다.",
        "hand_over_waiting": "직원에게 알렸습니다. 여기서 잠시만 기다려 주세요.",
        "nobody_free": "죄송합니다, 지금은 도와드릴 수 있는 직원이 없습니다. "
        "기다리시거나 저에게 계속 물어보셔도 됩니다.",
        "language_switched": "네, 한국어로 말씀드리겠습니다.",
        "hearing_failed": "죄송합니다, 잘 듣지 못했습니다. 다시 한번 말씀해 주시겠어요?",
        "no_recognizer": "여기서는 한국어 음성을 알아듣지 못합니다. 글로 입력하시거나 버튼을 사용해 주세요.",
        "person_joined": "직원이 왔습니다. 이제부터 직원이 도와드리겠습니다.",
        "person_left": "직원이 자리를 떠났습니다. 다시 인공지능 도우미가 도와드리겠습니다.",
    },
}


def spoken(key: SpokenKey, language: str) -> str:
    """A sentence in the closest language there is: the tag itself, its first part, or English."""
    return said(SPOKEN, language)[key]
