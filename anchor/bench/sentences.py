"""Sentences of a bank's hall, by language: with a place for a secret, and ordinary ones with numbers in them."""

from __future__ import annotations

WITH_SECRET_EN: dict[str, tuple[str, ...]] = {
    "card": (
        "My card number is {}.", "it's {}", "{}", "The number on the card is {}, thanks", "Sure, {}.",
        "I want to block card {} please", "um my credit card is {}", "can you check {} for me",
        "yes it is {} and it expires next year", "you want the card? {}", "I paid with {} yesterday",
        "please write down {}",
    ),
    "id": (
        "My ID number is {}.", "{}", "the identity card says {}", "It's {}",
        "my resident identity number, {}, I think", "okay {} that's it",
    ),
    "ssn": (
        "My social security number is {}.", "SSN {}", "my social is {}", "{} is my social security number", "{}",
        "it's {}",
    ),
    "passport": (
        "My passport number is {}.", "passport {}", "{} is my passport", "it says {} on my passport",
    ),
    "phone": (
        "My phone number is {}.", "Call me at {}", "you can reach me on {}", "{}", "my mobile is {}, call me back",
        "It's {}.", "text me at {} please", "the number is {}", "please ring my wife on {}",
    ),
    "code": (
        "The code is {}.", "my verification code is {}", "I got {} as the code", "it says your code is {}",
        "the one-time password is {}", "the OTP {}", "{} is the code", "the code they sent me is {}",
        "okay the security code, it's {}",
    ),
    "account": (
        "My account number is {}.", "account {}", "please transfer it to account {}", "{} is my account number",
        "the account number, um, {}", "it goes to account number {}",
    ),
    "iban": (
        "My IBAN is {}.", "send it to {}", "{}", "IBAN {} please",
    ),
    "email": (
        "My email is {}.", "write to {} please", "{}", "it's {}", "send the statement to {}",
    ),
    "birthday": (
        "My date of birth is {}.", "I was born on {}", "my birthday is {}", "date of birth {}", "DOB: {}",
        "I was born {}",
    ),
    "password": (
        "My password is {}.", "the password is {}", "password: {}", "my password was {} I think",
    ),
    "pin": (
        "My PIN is {}.", "the pin is {}", "I typed my PIN {}", "my pin code is {}", "{} is my PIN",
        "the card's PIN is {}",
    ),
}  # fmt: skip

WITH_SECRET_ZH: dict[str, tuple[str, ...]] = {
    "card": (
        "我的卡号是{}", "{}", "银行卡号{}", "卡号，{}，麻烦您查一下", "我这张卡是{}", "你记一下，{}",
        "帮我挂失{}这张卡", "信用卡{}还款", "嗯，是{}", "我昨天用{}付的款", "好的，{}。",
    ),
    "id": (
        "我的身份证号是{}", "身份证{}", "{}", "身份证号码：{}", "证件号是{}，你查一下", "是{}", "好，{}，就这个",
    ),
    "passport": (
        "我的护照号是{}", "护照{}", "护照号码是{}", "{}是我的护照号",
    ),
    "phone": (
        "我的手机号是{}", "手机{}", "打我电话{}", "{}", "电话号码是{}", "请打{}找我", "联系方式{}", "座机是{}",
        "我老婆的电话是{}",
    ),
    "code": (
        "验证码是{}", "验证码{}", "我收到的验证码是{}", "短信说验证码为{}", "动态码{}", "{}是验证码", "校验码，{}",
        "码是{}，验证码",
    ),
    "account": (
        "我的账号是{}", "账号{}", "转到账户{}", "收款账号：{}", "户头是{}", "{}是我的账号",
    ),
    "email": (
        "我的邮箱是{}", "发到{}", "{}", "邮箱地址{}",
    ),
    "birthday": (
        "我的生日是{}", "出生日期{}", "我是{}出生的", "出生日期是{}", "我生日{}",
    ),
    "password": (
        "我的密码是{}", "密码是{}", "密码：{}", "登录密码为{}",
    ),
    "pin": (
        "我的密码是{}", "取款密码{}", "密码是{}，对吧", "卡的密码是{}",
    ),
}  # fmt: skip

ORDINARY: dict[str, tuple[str, ...]] = {
    "en": (
        "A transfer of {amount} dollars costs {small} dollars.", "We are open from {hour}:00 to 17:30 on weekdays.",
        "The rate is {small}.{two} percent a year.", "In {year} we had {thousands} customers.",
        "It takes {small} to {more} working days.", "You need to be at least 18 years old.",
        "The minimum is {thousands} yuan, the maximum {thousands} yuan.",
        "The branch opened on {month} {day}, {year}.", "The offer is valid until {year}-{mm}-{dd}.",
        "Flat {small}, floor {more}, about {amount} square metres.", "I want to withdraw {amount} yuan.",
        "Can I have {small} notes of {hundred}?", "I'd like to transfer {thousands} dollars to my son.",
        "My limit is {amount} yuan a day, can I raise it to {thousands} yuan?",
        "I have been a customer since {year}.", "One euro is seven point eight two yuan.",
        "twenty five percent of five thousand two hundred is one thousand three hundred",
        "I was here at half past nine on the twelfth of May twenty twenty five",
        "I need two or three copies, one for me and one for my wife", "The card costs {small} dollars a month.",
        "If you enter a wrong PIN {small} times, the card is blocked for {more} hours.",
        "The code is valid for {small} minutes.", "My password is wrong.", "Your phone has to be switched on.",
        "My card was opened in {year}.",
        "The term is {more} months, {small}.{two} % a year, {amount} dollars at the end.",
        "Between {year} and {year} the index rose by {hundred} points.",
        "Tickets {small}, {more} and {hundred} are next.", "Please go to counter {small}.",
        "It is the number one bank here.", "I waited for {more} minutes at window {small}.",
        "Shares fell {small}.{two}% to {thousands}.{two} points.",
        "I'd like an account with a card for {small} people.", "one moment please",
        "There are two accounts and three cards.",
    ),
    "zh": (
        "转账{amount}元的手续费是{small}元。", "营业时间是{hour}:00到17:00。", "年利率是百分之{zh}点{zh}。",
        "{year}年{month_n}月{day}日开业。", "最低{thousands}元，最高{thousands}元。", "需要{small}到{more}个工作日。",
        "我要取{amount}块钱。", "能换{small}张一百的吗？", "我想转五千元给我儿子。",
        "我的卡每天限额{amount}元，能提到{thousands}元吗？", "我从{year}年开始就是你们的客户。",
        "一美元等于七点二元人民币。", "五千二百的百分之二十五是一千三百。", "二零二五年五月十二号上午九点半。",
        "我要两三张，一张给我，一张给我爱人。", "密码输错{small}次，卡会锁定{more}小时。",
        "验证码{small}分钟内有效。", "密码不对。", "我的密码忘了。", "手机要开机。", "请到{small}号窗口。",
        "我等了{more}分钟。", "期限{more}个月，年化{small}.{two}%，到期{amount}元。",
        "{year}年到{year}年上涨了{hundred}点。", "股价跌了{small}.{two}%，报{two}.{two}元。", "人口大约{amount}人。",
        "定期存款三年期利率二点七五。", "一共有两个账户三张卡。", "三百六十五天都营业。",
        "这张卡的年费是{hundred}元。", "我的账户里有{thousands}元。", "电话银行二十四小时服务。",
        "一二三四五，上山打老虎。", "理财产品{amount}起购，{small}万元封顶。", "我住十二楼一二零三房间。",
    ),
}  # fmt: skip
