"""What visitors of a bank's hall say, a line each."""

PERSON = {
    "en": """
human
Human please
agent please
A person, please.
representative
customer service
I want to speak to a human.
Can I talk to someone?
I'd like to speak with a real person.
Let me speak to the manager.
Could you connect me to an agent?
Please transfer me to a representative
Put me through to someone
I need a human
get me a human
Get me the manager please
I want to talk to a person, not a robot
Is there a real person I can talk to?
I don't want to talk to a robot
can you get someone... I mean a staff member? Get a staff member.
I need to speak with someone from the bank
Can I speak with a bank employee
I would like to see a teller
May I talk to somebody?
operator
Talk to a human agent
I want a real person
Give me an operator
Call the manager
Please call a staff member
Could you find me a colleague who knows?
Is there anybody here I could speak to?
I want to speak to an advisor
this isn't helping, let me talk to a person
Can I have a human please
I need somebody to help me
switch me to a live agent
I'd prefer a human
real person please
Speak to customer support
Ok, then transfer me over to a colleague
send someone... send a staff member over
""",
    "zh": """
转人工
转人工服务
我要转人工
请帮我转人工客服
人工
人工客服
人工服务
找真人
我要找真人
我想找个真人
给我找个工作人员
叫你们经理来
找客服
我要找客服
帮我叫一下工作人员
我想跟真人说话
我要和人工客服聊
我不要跟机器人说
不想跟机器人聊
能不能接人工
接一下人工
请转接人工坐席
我要人工
换人工
换个真人来
有人工吗
有没有真人
有人吗
请叫大堂经理
我要找大堂经理
麻烦叫一下客户经理
跟人说行不行，跟人直接说
真人
客服
我想和工作人员沟通
换个人来
帮我找一下柜员
叫个人工来
找你们领导
你帮我请个工作人员过来
转到人工
你们经理呢？叫经理
""",
    "more": """
担当者に代わってください
quiero hablar con una persona
je voudrais parler à quelqu'un
Ich möchte mit einem Menschen sprechen
상담원 연결해 주세요
""",
}

NO_PERSON = {
    "en": """
What are human rights?
Was it a human error?
How do I become an estate agent's client?
I booked it with a travel agent
Are you human?
Are you a real person?
How much is the fee per person?
Can my wife withdraw money in person?
I want to send money to someone abroad
Can someone else pay into my account?
I don't need a human
No agent, thanks
I want to open an account
How many people work here?
Human resources department hours
What is the limit per customer?
My insurance agent told me to come
Do I need to come in person?
How do I talk about my mortgage?
transfer money to a person in China
Please transfer 500 dollars to my son
I lost my card
What does the manager account cost?
Can I get a credit card?
Give me the exchange rate
Get me the balance
Find the nearest branch
call my phone
I need a new phone number on file
I want to see my statement
How do I connect my account to the app?
put me down for ten o'clock
Someone stole my wallet yesterday at the market
Is there a fee?
Is there an ATM here?
The tax agents need a form
I can open it without speaking to anyone, right?
Who is the person on this banknote?
What's the customer number?
somebody left a bag here
What is artificial intelligence?
I want a loan
""",
    "zh": """
什么是人工智能
人工智能会取代银行吗
人工费是多少
你是人工智能吗
你是真人吗
不用转人工
不要人工
我不需要人工
不用叫工作人员
别转人工了
我要开户
我要给别人转账
转账给客户怎么操作
经理这个职位招聘吗
贷款要多少人担保
信用卡怎么办理
人工降雨
人工湖在哪里
工作人员几点下班
客服电话是多少
你们有多少员工
我找不到我的卡了
我想找一下附近的网点
帮我找一下洗手间
代理人可以帮我取钱吗
需要本人来吗
家人可以代办吗
每个人限额多少
人民币汇率是多少
个人贷款利率
他人可以查询吗
换汇要带什么
叫号机在哪里
我叫什么名字
要等多少人
前面有几个人
来的人多吗
找零钱
和我的账户有关系吗
法人账户怎么开
谢谢你
两个人一起来可以吗
""",
}

CRISIS = {
    "en": """
self_harm: I want to kill myself
self_harm: I just want to die
self_harm: I don't want to live anymore
self_harm: I'm thinking about suicide
self_harm: I feel suicidal
self_harm: there's no reason to live
self_harm: they would be better off dead, I mean I'd be better off dead
self_harm: I am going to end my life
self_harm: I want to hurt myself
self_harm: I can't go on like this, I wish I was dead
self_harm: I will jump off a bridge
duress: I am being robbed
duress: Help, this is a robbery
duress: He has a gun
duress: the man behind me has a knife
duress: Someone is forcing me to withdraw money
duress: They are threatening me
duress: I am being held hostage
duress: I'm doing this against my will
duress: I just got mugged outside
duress: I was kidnapped
duress: a man is pointing a gun at the cashier
medical: I think I'm having a heart attack
medical: My husband is having a stroke
medical: I can't breathe
medical: My chest hurts, chest pain, please
medical: someone collapsed over there
medical: A woman has fainted
medical: my father is unconscious
medical: Please call an ambulance
medical: this man is not breathing
medical: She is bleeding badly
medical: I need an ambulance
medical: he's having a seizure
fraud: I was told to transfer my savings to a safe account
fraud: A police officer called and told me to move my money to a secure account
fraud: I think I'm being scammed
fraud: I've been scammed
fraud: someone claiming to be from the bank asked for my code
fraud: they told me to buy gift cards and read them the codes, the tax office
fraud: He wants me to share my one-time password, he asked for my password
fraud: The caller said he was from the police
fraud: I got tricked into sending money to an account
fraud: somebody has stolen my money
fraud: they have remote access to my phone
""",
    "zh": """
self_harm: 我不想活了
self_harm: 我想自杀
self_harm: 活着没意思
self_harm: 我想死
self_harm: 我活不下去了
self_harm: 我要跳楼
self_harm: 死了算了
self_harm: 我想结束自己的生命
self_harm: 他说他要轻生
self_harm: 我割腕了
duress: 有人抢劫
duress: 我被抢了
duress: 有人拿着刀
duress: 他有枪
duress: 他逼我转账
duress: 有人威胁我
duress: 我被绑架了
duress: 打劫了
duress: 救命啊
duress: 快报警
duress: 他们胁迫我取钱
medical: 我心脏病发作了
medical: 有人晕倒了
medical: 我喘不上气
medical: 我胸口疼
medical: 快叫救护车
medical: 我妈突然倒下了
medical: 老人昏迷了
medical: 呼吸困难
medical: 打120
medical: 他在抽搐
medical: 流血不止
fraud: 他们让我把钱转到安全账户
fraud: 有人自称公安说我涉嫌洗钱
fraud: 我被骗了
fraud: 我好像遇到骗子了
fraud: 警察打电话让我转账
fraud: 客服让我提供验证码
fraud: 我遭遇电信诈骗了
fraud: 骗子骗走了我的钱
fraud: 我的卡被盗刷了
fraud: 刷单被骗了五万
fraud: 他叫我汇款到一个账户
fraud: 对方要求我马上转账
""",
    "more": """
self_harm: 死にたい
self_harm: quiero morir
duress: me están robando
medical: 救急車を呼んでください
medical: rufen Sie einen Krankenwagen
fraud: 보이스피싱 당한 것 같아요
""",
}

NO_CRISIS = {
    "en": """
My phone died
I'm dying to know the interest rate
Does life insurance cover suicide?
Does your policy cover a heart attack?
These fees are daylight robbery
How can I protect myself from scams?
How do I avoid fraud?
Where is the fraud department?
What are the opening hours?
I'd like to transfer money to my savings account
How do I move money to my savings account?
Is my money safe in this account?
The stock market collapsed
I forgot my password
I didn't get the code
My card was declined
The line is killing me
This is killing me, how long do I wait?
I could kill for a coffee
Is there a robbery clause in the contract?
I'd like to buy a gift card
Do you sell gift cards?
I need a doctor's appointment payment plan... no, a loan
I want to end my contract
I want to close my account
Kill the session please
Can I cut my fees myself?
I hurt my foot but I'm fine, where can I sit?
How do I remove a payee?
The police station is where?
I'm from the police department and want to open an account
My husband wants a card
My wife was told the rate is 3 percent
The machine stopped working
The ATM took my card
Nobody told me to bring my passport
You told me to wait here
I was asked to bring two documents
What makes me eligible?
That makes me happy
It made me think
I have a heart condition, is there a chair? No, just a chair please
""",
    "zh": """
我手机死机了
笑死我了
我想死你了
热死了
保险包括自杀吗
重疾险保心脏病发作吗
怎么防诈骗
如何识别电信诈骗
什么是安全账户
反诈宣传在哪里
我要转账
让我想想
让我看看
我要开一个储蓄账户
账户安全吗
抢红包活动
理财产品抢购
额度被抢光了
限量纪念币被抢购一空
利率跌死了
我忘记密码了
验证码没收到
卡被吞了
钱包丢了
一百二十块
取120元
手续费打八折
警察局怎么走
公安局旁边那个网点几点开门
我要挂失
信用卡怎么还款
贷款还不上怎么办
排队太久了
累死了
急死我了
死期存款是什么
定期存款
活期利率多少
我活动不方便有轮椅吗
有刀具寄存吗
我自己去跑了一趟
骗保会怎么处理
""",
}

BACKCHANNEL = {
    "en": """
uh-huh
Mm-hmm.
mm
Okay
ok okay
right
Right, right.
yeah
Yes.
I see
I see, okay
got it
sure
all right
oh
ah
hmm
really?
wow
great
thanks
[cough]
ahem
""",
    "zh": """
嗯
嗯嗯
嗯哼
对
对对对
是
是的
好
好的
好的好的
哦
哦哦，这样啊
啊
行
明白
明白了
知道了
原来如此
真的吗
没错
咳咳
（咳嗽）
""",
}

NO_BACKCHANNEL = {
    "en": """
no
what
what about fees
okay but how much
right now I need a card
yes I want to open an account
stop
I see a problem
oh no, wait
thanks, and the second one?
sure thing is I lost it
why
""",
    "zh": """
不
不对
不是
好的我要开户
对了，手续费多少
是什么意思
行不行
嗯我想问一下
知道怎么办吗
停
为什么
好贵
""",
}

STOP = {
    "en": """
stop
Stop!
stop it
Stop talking please
please stop
wait
Wait a minute
hold on
hang on a second
okay stop
that's enough
enough
be quiet
shut up
pause
no, no, stop
one moment
let me finish
""",
    "zh": """
停
停停停
停一下
别说了
不要说了
别讲了
等一下
等等
等会儿
你等一下
先别说
闭嘴
打住
够了
安静一下
好了好了别说了
暂停
请停一下
""",
}

NO_STOP = {
    "en": """
stop a payment on my cheque
stop the standing order
How long do I have to wait?
wait, what about the fee
wait times
Where is the bus stop?
cancel my card
I can't wait to travel
hold my mail
is that enough money
pause my subscription
enough for a loan
""",
    "zh": """
停车要钱吗
停卡怎么办
别人可以代办吗
等一下要带什么证件
等多久
停止自动扣款
停用我的卡
等级是什么
别的网点呢
不要密码的卡
够不够
安静的地方在哪
""",
}

AGAIN = {
    "en": """
repeat
Repeat that please
Can you repeat that?
say that again
Could you say that again please?
say it once more
Pardon?
I beg your pardon
come again
what?
What did you say?
sorry, what?
once more
one more time please
I didn't catch that
I didn't hear you
I couldn't hear that
excuse me?
speak up please
""",
    "zh": """
再说一遍
请再说一遍
你再说一次
重复一遍
能不能再说一遍
麻烦再讲一遍
没听清
我没听清楚
没听见
刚才没听清
听不清
你说什么
什么
啥
你刚才说什么
请重复一下
不好意思，再说一次
慢点说
""",
}

NO_AGAIN = {
    "en": """
set up a repeat payment
repeat my order every month
what is the fee
what do I need
I lost my card again
I didn't get the code
sorry
I can't hear well, do you have a form?
once more than ten thousand
excuse me where is the toilet
pardon my son's debt
again and again the app fails
""",
    "zh": """
再说吧
重复扣款怎么办
什么利率
什么时候开门
我没收到短信
再来一张卡
再办一张
没听说过这个产品
你说利率是多少
不懂怎么操作
慢性病保险
大额转账
""",
}

BYE = {
    "en": """
bye
Bye bye
Goodbye!
ok bye
thank you, goodbye
thanks, bye
see you
see you later
that's all
That's all, thank you.
No, that's all for today
that's it thanks
nothing else
no more questions
have a nice day
good night
I have to go
I'm done, thanks
""",
    "zh": """
再见
拜拜
谢谢再见
好的再见
好的，谢谢，拜拜
没有了
没有了，谢谢
没事了
没别的事了
没有其他问题了
就这些了
我走了
回头见
结束对话
没什么事了
就这样了，谢谢
问完了
那我先走了
""",
}

NO_BYE = {
    "en": """
buy a fund
Is that all I need?
is that it
nothing works
I'm done with the form, what next
where do I go
thank you
thanks
no
good day for opening an account
see you have a problem there
end my contract
""",
    "zh": """
没有卡怎么办
没有密码
这些了解一下
走哪边
结束时间是几点
谢谢
没有手机可以吗
再见面要预约吗
这样可以吗
不是这个
问一下
办完要多久
""",
}
