"""What a message asks to be done: an action, a text to be written; or a feeling that it voices.

An action is asked for in the form of a request or a wish. Some are recognised as none that an
assistant of text can carry out, by what they are about: travel, food, tickets and so on. It does
not know the use case; the policy says which of them lie outside.
"""

from __future__ import annotations

import re
from typing import Final

from router.classes import ErrandKind
from router.questions.phrases import HEARSAY_ZH

_POLITE = (
    r"(?:(?:hi|hello|hey|ok|okay|please|pls|kindly|and|so|now|then|also|just|well|good \w+|thanks)"
    r"[,!. ]+)*+"
)
_ASK = (
    r"(?:(?:can|could|would|will) (?:you|u)(?: kindly| maybe)? |i(?:'d| would) (?:like"
    r"|love)"
    r" (?:you )?to |i (?:want|need|wish|have) (?:you )?to |i wanna |i gotta |help me (?:to )?"
    r"|let's |go ahead and |please |would you mind )*+"
)
_WANT = (
    r"(?:i(?:'d| would) like|i (?:want|need)|i'm looking for|give me|get me|we need|can i (?:get"
    r"|have)"
    r"|could i (?:get|have)|may i have|i could use)"
)
_VERB = (
    r"(?:add|apply|arrange|block|book|buy|call|cancel|change|charge|check|close|collect|connect"
    r"|correct|create|deactivate|delete|deliver|dim|email|exchange|extend|file|find|fix|get|grab"
    r"|make|mute|open|order|pause|pay|phone|pick up|place|play|post|put|raise|redeem|refund"
    r"|register"
    r"|remind|remove|rent|repair|replace|report|resend|reserve|reset|return|ring|schedule|sell"
    r"|send"
    r"|set|ship|sign|skip|speak|start|stop|subscribe|swap|switch|take|talk|text|top up|track"
    r"|transfer|turn|unsubscribe|update|upgrade|wake|wire)"
)
_ACTION_EN: Final = re.compile(
    rf"(?:^|[.!;\n]\s*){_POLITE}(?:{_ASK}{_VERB}\b|{_WANT}\b(?! to know))"
)
_ACTION_ZH: Final = re.compile(
    "(?:请|麻烦|帮我|帮忙|替我|给我|我想|我要|我需要|想要?|能不能|可以|可否|能|请你|^|[,。! ])*"
    "(?:帮我|帮忙|替我|给我|帮|请)?(?:取消|退|换|改|修改|查|查询|寄|送|补|开|重开|订|预订|预定"
    "|预约|买|购买|点|叫|打|下单|付|支付"
    "|申请|登记|注册|注销|报名|安排|联系|转接|投诉|维修|修|安装|提醒|设|定|播放|放|关|调|转|充|交"
    "|缴|发|挂|把)"
)
_IS_ERRAND_ZH = re.compile(
    "帮我|帮忙|替我|给我|帮|请|麻烦|我想|我要|想要|我需要|能不能|能|可以|^(?:给|订|预订|预定|预约"
    "|买"
    "|点|叫|打|播放|放|关|开|打开|关掉|调|转|发|设|定|提醒|把|下|再|来|明|今|后|切|换|音量)"
)

# What an errand is about: a verb with its object, so that a shop for lamps may sell a coffee table
# or a lamp to a hotel.
_NOT_FURNITURE = (
    r"(?! ?(?:tables?|lamps?|machines?|makers?|racks?|cups?|mugs?|glass(?:es)?|sets?|stands?"
    r"|chairs?|bowls?|plates?|rooms?|ware|cards?|boxe?s?)\b)"
)
_A_FEW = r"(?:me |us )?(?:(?:an?|the|some|two|three|four|\d+|my|our) )?(?:[\w'-]+ ){0,3}"
_FETCH = (
    r"(?:order|get|buy|bring|deliver|send|want|need|like|have|grab|book|reserve|find|rent|hire"
    r"|call"
    r"|looking for|arrange|use)"
)
_ERRANDS_EN: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            ErrandKind.TRAVEL,
            rf"\b{_FETCH} {_A_FEW}(?:flights?|(?:plane|train|bus|coach|rail|ferry|airline)"
            r" (?:tickets?|rides?|seats?)|(?:train|bus|ferry|coach) (?:to|from)|taxi|cab|uber|lyft"
            r"|rental car|hire car|cruise)\b"
            rf"|\b(?:book|reserve|find|get|need|want|looking for) {_A_FEW}(?:hotel|hostel|airbnb"
            r"|motel)\b(?! lamps?)|\brent a car\b|\bapply for a (?:\w+ )?visa\b|\bride to\b",
        ),
        (
            ErrandKind.FOOD,
            rf"\b{_FETCH} {_A_FEW}(?:pizzas?|burgers?|fries|sushi|noodles|kebab|sandwich(?:es)?"
            r"|take-?away|take-?out|groceries|tacos?|curry|salad|ice cream|coffee|latte|cappuccino"
            rf"|beers?|wine|cake|dinner|lunch|breakfast|brunch|meal|food"
            rf"|snacks?)\b{_NOT_FURNITURE}"
            r"|\b(?:book|reserve|find|get|want|need|like)\b[^.?!]*\b(?:at|in|a|an|the|nice|good"
            r"|\w+ian|\w+ese) (?:\w+ )?(?:restaurant|bistro|steakhouse)\b"
            r"|\btable for (?:\d+|one|two|three|four|five|six|seven|eight|ten|us)\b"
            r"|\bcook (?:me|us)\b",
        ),
        (
            ErrandKind.TICKETS,
            r"\b(?:cinema|movies?|film|concerts?|theat(?:re|er)|opera|ballet|football|match"
            r"|festival"
            r"|museum|game|zoo|show) (?:\w+ )?(?:tickets?|seats?|passes)\b|\btickets? (?:for|to) "
            r"|\b(?:seats?|tickets?) (?:at|in|for) (?:the |a )?(?:cinema|theat(?:re|er)|opera"
            r"|movies?"
            r"|stadium|concert|match|game)\b",
        ),
        (
            ErrandKind.DEVICE,
            r"\b(?:set|start|stop|snooze|cancel) (?:an?|the|my) (?:[\w-]+ ){0,2}(?:alarm|timer"
            r"|stopwatch|countdown)\b|\bset (?:the|my) (?:alarm|thermostat|temperature|volume)\b"
            r"|\b(?:play|pause|skip|resume|put on)\b.{0,40}\b(?:songs?|music|jazz|radio|podcast"
            r"|playlist|album|track|by \w+|tune|rock|pop|classical)\b|\bplay (?:some|me|my)\b"
            r"|\b(?:turn|switch) (?:on|off|up|down)\b|\b(?:turn|switch) [^.?!]{1,30}\b(?:on|off|up"
            r"|down)\b|\bdim (?:the|my) lights?\b|\bwake me\b|\btake a (?:selfie|screenshot)\b"
            r"|\bmute\b|\b(?:raise|lower) the (?:volume|blinds|temperature|heating)\b",
        ),
        (
            ErrandKind.DIARY,
            r"\bremind me\b|\bset (?:up )?a reminder\b|\b(?:my|the) (?:calendar|diary|agenda"
            r"|to-?do(?: list)?|(?:shopping|grocery|packing) list)\b|\bschedule (?:a"
            r"|the) meeting\b"
            r"|\b(?:doctor|dentist|dental|hair\w*|vet|barber|gp|optician|therapist|salon"
            r"|spa)(?:'s)?"
            r"\b.*\bappointment\b|\bappointment\b.*\b(?:doctor|dentist|hair\w*|vet|barber|gp)\b"
            r"|\bsee (?:a|the|my) (?:doctor|dentist)\b",
        ),
        (
            ErrandKind.MESSAGE,
            r"\b(?:text|call|phone|ring|email|message|whatsapp) (?:my (?:mom|mum|mummy|mother|dad"
            r"|father|wife|husband|brother|sister|boss|friend|son|daughter|grandma|grandpa|aunt"
            r"|uncle|girlfriend|boyfriend|neighbou?r|doctor)|mom|mum|dad|grandma)\b"
            r"|\bsend (?:an? )?(?:text|message|email|whatsapp|sms) to (?:my (?:\w*[mds]\b|boss"
            r"|wife"
            r"|brother|friend)|mom|mum|dad|her|him|them)\b"
            r"|\b(?:post|tweet)\b.*\b(?:twitter|facebook|instagram|tiktok|linkedin|timeline)\b",
        ),
        (
            ErrandKind.MONEY,
            r"\b(?:transfer|wire|send)\b.*(?:[$€£¥]|\b(?:euros?|dollars?|pounds?|bucks|money|usd"
            r"|eur)\b).*\bto (?!you\b|your\b|the shop)|\b(?:buy|sell|invest)\b.*\b(?:bitcoins?"
            r"|crypto\w*|ethereum|stocks|shares|etfs?|gold)\b|\bpay (?:my|the) (?:rent|electricity"
            r"|electric|gas|water|phone|credit card|power|internet|utility|mortgage|taxes)\b"
            r"|\btop up my phone\b",
        ),
    )
)
_ERRANDS_ZH: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            ErrandKind.TRAVEL,
            "(?:订|买|抢|预订|预定|定|改签|查|找|来|要)[^,。?]{0,10}(?:机票|航班|火车票|高铁|动车"
            "|车票|船票|签证)"
            "|(?:叫|打|约|安排)[^,。?]{0,4}(?:出租车|网约车|专车|的士|车去|车到|车送|车来)|(?:帮"
            "|给|替)我打[个辆]?车|租[一]?[个辆]车|(?:叫|打)[^,。?]{0,3}滴滴|办[^,。?]{0,4}签证"
            "|(?:订|预订|预定|定|找)[^给]{0,8}(?:酒店|宾馆|民宿|旅馆)(?!用|的?灯|里|大堂)",
        ),
        (
            ErrandKind.FOOD,
            "外卖|(?:点|订|叫|买|来|送|做|要)[^,。]{0,6}(?:披萨|比萨|汉堡|奶茶|炸鸡|薯条|寿司"
            "|火锅|烧烤|盒饭|快餐|咖啡(?![桌机杯])"
            "|蛋糕|啤酒|菜|水果|晚餐|午餐|早餐|晚饭|午饭|早饭|夜宵|吃的)"
            "|(?:订|预订|预定|定|约|找)[^,。]{0,12}(?:餐厅|餐馆|饭店|饭馆|位子|座位|包厢)(?!用"
            "|的?灯|吊灯|桌)|点餐|订餐",
        ),
        (
            ErrandKind.TICKETS,
            "[订买抢][一两二三四几]?张[^,。?发]{0,8}票|(?:订|买|抢|预订|预定|定|来|要"
            "|弄)[^,。?]{0,10}(?:电影票|演唱会|音乐会|话剧|球票"
            "|门票|展览票|戏票|比赛票|[两一三四几]张[^,。发]{0,8}票)",
        ),
        (
            ErrandKind.DEVICE,
            "闹钟|定时器|倒计时|叫我起床|叫醒我|音量|播放|放[^,。]{0,3}首|放点?音乐|放歌|来首"
            "|下一首|上一首|切歌"
            "|(?:空调|暖气|电视|音响|窗帘|洗衣机|电脑|风扇|热水器|蓝牙|灯)[^,。]{0,4}(?:打开|关掉"
            "|关上|关了|关|开开|调[高低大小暗亮])"
            "|(?:打开|关掉|关上|调高|调低|调暗|调亮)[^,。]{0,6}(?:空调|暖气|电视|音响|窗帘|风扇"
            "|灯|蓝牙)|[开关]灯",
        ),
        (
            ErrandKind.DIARY,
            "提醒我|日历|日程|待办|备忘|购物清单|挂[个一]?[个]?号|(?:预约|约"
            "|看)[^,。]{0,8}(?:医生|牙医|看牙|理发|美容|体检|门诊)"
            "|安排[^,。]{0,6}会议",
        ),
        (
            ErrandKind.MESSAGE,
            "给(?!我[打发回]|我们|[你您]|客服)[^,。]{1,6}(?:打[一]?个?电话"
            "|[发写][个条封一]{0,2}(?:短信|微信|消息|邮件"
            "|语音|信息))|打[个]?电话给(?!我)"
            "|发[个条]?(?:短信|微信|消息)给(?!我)|发[^,。]{0,3}朋友圈|发[^,。]{0,3}微博",
        ),
        (
            ErrandKind.MONEY,
            "转账给|汇款给|给[^,。]{1,6}转[^,。]{0,8}(?:元|块|钱|万|千)|转[^,。]{0,10}(?:元|块|钱"
            "|万)[^,。]{0,3}给|(?:交|缴|付)(?:一下|个"
            "|下)?[^,。]{0,3}(?:电费|水费|燃气费|房租|话费"
            "|物业费|学费|罚款)|充[^,。]{0,3}话费|买[^,。]{0,6}(?:股票|基金|比特币|彩票|黄金)"
            "|还[^,。]{0,3}信用卡",
        ),
    )
)
# Whether something can be had: a question, unless it is to be done for the asker.
_ASKS_ONLY_ZH = re.compile("^(?!.*(?:帮|替|给我|为我|给我们)).*(?:吗|么|呢|贵不贵|多少|怎么|哪)")
_BARE_ERRAND_EN: Final = re.compile(
    r"(?:the )?(?:next|previous|another) (?:song|track|episode|station)\b.*|(?:lights?|music|tv"
    r"|volume"
    r"|alarm) (?:on|off|up|down)\b.*|louder|quieter"
)

_WRITING_EN: Final = re.compile(
    rf"(?:^|[.!;\n]\s*){_POLITE}{_ASK}(?:write|draft|compose|prepare|word|create|come up with"
    rf"|phrase)"
    r"(?: (?:me|us))? (?:a|an|another|some|one|the|two|three|my|our)\b[^.?!:]{0,40}?\b(?:apology"
    r"|notes?"
    r"|letter|e-?mails?|reply|replies|response|answers?|messages?|text|sms|posts?|captions?"
    r"|slogans?"
    r"|adverts?|ad|announcement|invitation|cards?|greeting|review|headline|newsletter|thank-?you"
    r"|description|wording|reminder|sentences?|lines?)\b"
)
_WRITING_ZH: Final = re.compile(
    "(?:^|请|帮我|帮忙|给我|替我|想|要|麻烦|能不能|可以|[,。!\n] ?)(?:写|起草|草拟|拟|编|撰写)"
    "[^,。?!:]{0,14}?(?:信|邮件|回复|短信|文案|通知|公告|贺卡"
    "|祝福语?|广告|标语|口号|海报|致辞|便条|留言"
    "|请柬|邀请函|感谢语|话术|消息|答复)"
)

_FEELING_EN: Final = re.compile(
    r"\b(?:furious|angry|mad at|upset|annoy\w*|disappoint\w*|frustrat\w*|unhappy|terrible|awful"
    r"|horrible|horrendous|dreadful|worst|ridiculous|unacceptable|unbelievable|disgust\w*|rude\w*"
    r"|impolite|unfriendly|mess|shame|shameful|pathetic|fed up|sick of|waste of|never (?:again"
    r"|buy)"
    r"|outrag\w*|appall\w*|scandal|a joke|let down|poor (?:service|quality)|hate|ugly|shocked"
    r"|crooked"
    r"|not (?:happy|amused|impressed|good enough|funny)|nobody (?:came|answer\w*|call\w*|turn\w*"
    r"|show\w*|help\w*|care\w*|repl\w*)|no one (?:came|answer\w*|call\w*|turn\w*|show\w*|help\w*"
    r"|repl\w*)|waited (?:all|for|the whole|\w+ hours|hours)|(?:first|second|third|fourth) time"
    r"|ador\w*|gorgeous|stunning|beautiful\w*|delighted|thrilled|impressed|pleased|satisfied"
    r"|well done|fantastic|brilliant|magnificent|superb|fabulous|so (?:happy|warm|pretty|cosy|cozy"
    r"|slow|late|bad|nice|kind|friendly|helpful)|very (?:happy|pleased|kind|friendly|helpful|slow"
    r"|late|nice|pretty)|(?:i|we)(?: \w+)? love|my \w+ loves|wonderful|amazing|excellent|perfect"
    r"|lovely|great (?:job|service|quality|product|team)|thank you for)\b"
)
_FEELING_ZH: Final = re.compile(
    "生气|气死|气人|愤怒|恼火|火大|失望|无语|糟糕|糟透|差劲|太差|很差|太烂|垃圾|恶劣|太慢|恶心"
    "|过分|离谱|受不了|坑人|坑爹|难看|丑|后悔"
    "|不满意|不爽|心寒|敷衍|冷漠|欺负|没人(?:来|理|管|回|接)|没有人(?:来|理|管|回|接)|再也不|浪费"
    "|寒心|服了|崩溃|着急死|晃晃|漂亮|好看"
    "|美极|喜欢|满意|完美|惊喜|很棒|太棒|真棒|点赞|好评|舒服|柔和|温馨|精致|爱死|值得|感动|贴心"
    "|周到|热情|太赞|很赞|开心|温暖|暖"
)
_NO_FEELING: Final = re.compile(
    r"\?|\b(?:would|i'd|we'd) love|\b(?:want|need|like) to\b|喜欢什么|满意度|[?]|想要|我想|我要"
)


def asks_for_action(text: str) -> bool:
    """Return whether something is asked to be done, beside answering and writing."""
    return bool(_ACTION_EN.search(text)) or bool(_ACTION_ZH.match(text))


def errand_of(text: str) -> ErrandKind:
    """Return what the errand is about that the message asks for; NONE where it asks for none.

    Args:
        text: The message in lower case NFKC.
    """
    none = ErrandKind.NONE
    if _BARE_ERRAND_EN.fullmatch(text.strip(" .!?")):
        return ErrandKind.DEVICE
    if _ACTION_EN.search(text):
        return next((kind for kind, pattern in _ERRANDS_EN if pattern.search(text)), none)
    if HEARSAY_ZH.search(text):
        return none
    if _IS_ERRAND_ZH.search(text) and not _ASKS_ONLY_ZH.search(text):
        return next((kind for kind, pattern in _ERRANDS_ZH if pattern.search(text)), none)
    return none


def asks_for_writing(text: str) -> bool:
    """Return whether a new text is to be written: a reply, a letter, a slogan."""
    return bool(_WRITING_EN.search(text) or _WRITING_ZH.search(text))


def voices_feeling(text: str) -> bool:
    """Return whether a feeling about what was bought or done is voiced, and nothing wished."""
    if _NO_FEELING.search(text):
        return False
    return bool(_FEELING_EN.search(text) or _FEELING_ZH.search(text))
