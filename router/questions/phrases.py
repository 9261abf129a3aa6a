"""The words and phrases, English and Chinese, by which `signals.py` reads a question.

Vocabulary only, as patterns over lower-case NFKC text; what follows from a match is not known here.
Written for this project. Adding a phrase: one line, and a row in tests/cases/signals.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def _whole_words(lines: str) -> re.Pattern[str]:
    """Match any line as whole words."""
    return re.compile(r"(?<!\w)(?:" + "|".join(lines.split("\n")[1:-1]) + r")(?!\w)")


def _any_line(lines: str) -> re.Pattern[str]:
    """Match any of the bar-separated phrases, anywhere, the longest first."""
    phrases = lines.replace("\n", "|").strip("|").split("|")
    return re.compile("|".join(sorted(phrases, key=len, reverse=True)))


CHAT_EN: Final = _whole_words(r"""
good (?:morning|afternoon|evening|night|day)
(?:hi|hiya|hello|hey|heya|howdy|yo|greetings)(?: there| again| everyone| all)?
(?:many |a lot of )?thanks?(?: you| u| a lot| a bunch| a million| again)*(?: (?:so|very) much)?
thanks? (?:you )?for (?:all )?(?:the |your )?(?:help|cooperation|answer|time|info|information)
thanks? (?:you )?for (?:all )?(?:the |your )?(?:assistance|support|patience|reply|response)
(?:thx|ty|tysm|cheers|much appreciated|i (?:really )?appreciate (?:it|that|this|you))
appreciate (?:it|the help|your help|that|you)
you(?:'re| are) (?:welcome|the best|great|awesome|amazing|so helpful|very helpful|so kind)
good ?bye|bye(?: ?bye)?|talk to you later|farewell|see (?:you|ya)(?: later| soon| around)?
take care|have a (?:nice|good|great|lovely) (?:day|one|evening|night|weekend|time)
(?:nice|good|great|lovely) (?:to (?:meet|see)|meeting|seeing|talking to|chatting with) you
how(?:'s| is) (?:it going|everything|life|your day(?: going)?|things)
how (?:are|r) (?:you|u|ya|things)(?: doing| today| feeling)*
(?:what's|whats|what is) up|wassup|sup|how do you do|how have you been
what(?:'s| is) your name|who are you|what are you|do you have a name
are you (?:a |an )?(?:robot|bot|human|person|real|real person|machine|ai|chatbot|computer)
(?:who|what company) (?:made|built|created|trained|programmed) you|how old are you
where (?:are you from|do you live|were you born)
tell me (?:a|another) (?:joke|funny joke|story)|make me laugh|say something funny
i(?:'m| am) (?:bored|fine|good|well|sad|happy|tired|back|great)(?: too| today)?
i (?:love|like) you|nice|great|awesome|perfect|cool|wonderful|excellent|lovely|amazing
(?:that|this|it) (?:helps|helped|works|worked)(?: a lot)?
(?:that(?:'s| is| was)|this is|it(?:'s| is)) (?:all|great|good|perfect|fine|it|everything|nice)
(?:that(?:'s| is| was)|this is|it(?:'s| is)) (?:awesome|cool|wonderful|funny)
(?:that(?:'s| is| was)|this is|it(?:'s| is)) (?:very |really |so )?helpful
ok(?:ay)?|okey|alright|all right|sure|got it|i see|understood|makes sense|no problem
never mind|no worries|sounds good|you too|same to you|well done|good job|good bot|sorry
my bad|oops|(?:is )?any(?:one|body) (?:there|here|home)
are you (?:there|here|awake|online|ok|okay)
can you (?:help me|hear me)|i (?:have|got) a (?:quick )?question|can i ask (?:you )?something
(?:ha){2,}|lol|lmao|(?:he){2,}|wow|yay|welcome|happy (?:birthday|new year|holidays)
merry christmas|good luck|test(?:ing)?
""")

# Words that may stand around chit-chat without giving it a subject.
CHAT_FILLER_EN: Final = frozenset(
    """
    a and ah all an any anyway as assistant back bot buddy dear do everything for friend from guys
    help helping i it just later man mate me my much now of oh please pretty quick really right sir
    so soon still support team that the then there this time to today tomorrow too um very was we
    well with you your yours
    """.split()
)

# A question about the assistant itself: it says "you", names something only a person or a machine
# has, and says nothing else.
YOU_EN: Final = frozenset("you your you're u yourself".split())
SELF_EN: Final = frozenset(
    """
    age ai alive birthday birthplace boss bot called chatbot computer creator feelings fun hobbies
    hobby human joke jokes maker machine name old origin origins person pets program programmed
    real robot weekend
    """.split()
)
SELF_FILLER_EN: Final = frozenset(
    """
    a about actual actually am an and any are as at be been being built by can come could created
    curious did do does earth for from get give go have having he how i i'm if in invented is it
    just kind kinds know like likes living made many me my of on one or please prefer really s say
    should some take tell that the they thing things think this time to trained truly used was were
    what what's whats when where who who's whom with work would wonder year years
    """.split()
)

CHAT_ZH: Final = _any_line("""
早上好|上午好|中午好|下午好|晚上好|早安|午安|晚安|早啊|你好|您好|大家好|哈喽|哈啰|嗨|嘿|喂
在吗|在么|在嘛|在不在|在线吗|有人吗|有人在吗|还在吗|你在吗|您在吗
非常感谢|十分感谢|太感谢了|感谢|多谢|谢谢|谢了|谢啦|3q|辛苦了|辛苦啦|麻烦了|麻烦你了|麻烦您了
再见|拜拜|回头见|回见|明天见|下次见|改天聊|回头聊|下次聊|先这样|就这样|没事了|没有了|没别的了
你是谁|您是谁|你叫什么名字|你叫什么|您贵姓|你多大了|你几岁了|你从哪里来|你是哪里人
你是机器人吗|你是人吗|你是真人吗|是真人吗|是机器人吗|谁创造了你|谁开发了你|你会做什么|你会什么
讲个笑话|说个笑话|来个笑话|讲个故事|陪我聊聊天|陪我聊天|聊聊天|无聊
最近怎么样|最近好吗|你好吗|您好吗|吃了吗|吃饭了吗|过得怎么样|心情不好
好的|好滴|好嘞|好呀|好吧|好哒|行吧|可以的|嗯嗯|嗯|哦哦|噢|知道了|明白了|明白|了解了|了解|懂了|收到
没问题|没关系|不客气|哈哈|呵呵|嘻嘻|嘿嘿|太好了|太棒了|真棒|真好|厉害|不错|加油
你真好|你真棒|你真厉害|你真聪明|我喜欢你|我爱你|对不起|抱歉|不好意思|打扰了|打扰一下
祝你好运|祝您生活愉快|祝您工作顺利|祝你|祝您|新年快乐|生日快乐|节日快乐|周末愉快|生活愉快|恭喜发财
请问一下|请问|我想问一下|想问一下|问一下|问个问题|我有个问题|能帮我吗|可以帮我吗|帮帮我|客服|亲|测试
""")
CHAT_FILLER_ZH: Final = frozenset(
    "你您我啊呀哦噢嗯呢吧了的啦哈嘛嘞哟喔诶哎唉么吗就那都很太真非常是也还先大家们给帮"
)

QUESTION_EN: Final = _whole_words(r"""
who|whom|whose|what|what's|when|where|which|why|how|how's|whether
(?:is|are|was|were|do|does|did) (?:i|it|my|the|there|this|these|that|those|we|you|your|they|a|an)
(?:can|could|may|will|would|should|has|have) (?:i|it|my|the|this|these|that|we|you|your|they|a|an)
tell me|explain|i (?:want|need|would like|wanted|'d like) to know|i wonder|let me know
looking for|find out|any idea|number of|list of|details? (?:of|on|about)
information (?:on|about|regarding)
""")
POLICY_EN: Final = _whole_words(r"""
returns?|refunds?|exchanges?|warrant(?:y|ies)|guarantees?|deliver(?:y|ies)|shipping|postage
prices?|pricing|costs?|fees?|charges?|discounts?|vouchers?|invoices?|receipts?|vat
opening (?:hours|times)|deadlines?|polic(?:y|ies)|terms|eligib(?:le|ility)|address
phone number|repairs?|spare parts|cancell?ation
""")
QUESTION_ZH: Final = re.compile(
    "什么|怎么|怎样|如何|为什么|为何|为啥|哪|谁|多少|多久|多长|多大|多远|多高|多重|第几"
    "|几[天个次年月日时点小周岁件元块张份种]|何时|何地|是否|是不是|有没有|能不能|可不可以"
    "|会不会|要不要|需不需要|吗|么[?？]|呢[?？。!！]?$|啥|咋|告诉我|介绍|说明一下|解释|查一下|查询"
    "|想知道|想了解|请问"
)
POLICY_ZH: Final = re.compile(
    "退货|退款|换货|退换|保修|质保|维修|发票|运费|邮费|快递|配送|送货|发货|物流|价格|价钱|费用|收费"
    "|优惠|折扣|押金|营业时间|开门|关门|地址|电话|期限|有效期|政策|规定|条款|流程|条件|截止"
)
QUESTION_MARK: Final = re.compile(r"[?？]")

# Output formats, the first that matches counts.
FORMATS: Final[Mapping[str, re.Pattern[str]]] = {
    "json": re.compile(r"(?<![a-z])json(?![a-z])"),
    "yaml": re.compile(r"(?<![a-z])ya?ml(?![a-z])"),
    "csv": re.compile(r"(?<![a-z])csv(?![a-z])"),
    "table": re.compile(
        r"\b(?:in|as|into|with) (?:a |an )?(?:\w+ )?table\b"
        r"|\b(?:make|create|draw|give me) (?:me )?a table\b|\bmarkdown\b|表格|列成表|做成表|制表"
    ),
    "list": re.compile(
        r"\b(?:as|in|into|with) (?:a )?(?:\w+ )?list\b|\bbullet(?:ed|s| points?)\b"
        r"|\bnumbered list\b|\blist (?:all|the|every|out|me)\b"
        r"|列出|列举|罗列|列个清单|分点|逐条|清单形式"
    ),
    "translate": re.compile(r"\btranslat(?:e|ion|ing)\b|翻译|译成|译为"),
    "rewrite": re.compile(
        r"\b(?:rewrite|rephrase|reword|paraphrase|proofread|summari[sz]e|shorten|polish)\b"
        r"|\bin (?:our|the) house style\b|改写|重写|润色|缩写成|总结一下|概括|改成|精简"
    ),
}
# The formats that work on a text the question brings along.
ON_GIVEN_TEXT: Final = frozenset({"translate", "rewrite"})
GIVEN_TEXT: Final = re.compile(r"[\"“「『].*?[\"”」』]|(?<!\d)[::\n].*", re.DOTALL)

FOLLOW_UP_EN: Final = re.compile(
    r"(?:and|but|or|so|then|also|what about|how about|what if|why not|same for|it|its|they|them"
    r"|their|that|this|these|those|he|she|his|her"
    r"|(?:is|are|does|do|can|did|was|were|will|would|has|have)"
    r" (?:it|they|that|this|these|those|he|she)"
    r"|(?:how|when|where|why|what|who|which) (?:is|are|does|do|can|did|was|were|about|if)"
    r" (?:it|they|that|this|these|those|he|she|one))(?!\w)"
)
FOLLOW_UP_ZH: Final = re.compile(
    "(?:那|那么|然后|还有|另外|所以|可是|但是|如果是|要是|换成|[它他她]们?|这|其中|该)"
)
FOLLOW_UP_END_ZH: Final = re.compile(r"呢[?？。!！~]*$")
