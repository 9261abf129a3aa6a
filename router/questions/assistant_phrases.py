"""The words by which `talk.py` knows a question about the assistant itself.

Vocabulary only, as patterns over lower-case NFKC text; what follows from a match is not known here.
Written for this project. Adding a phrase: one line, and a row in tests/cases/signals.yaml.
"""

from __future__ import annotations

import re
from typing import Final

# A question about the assistant itself: it says "you", names something only a person or a machine
# has, and says nothing else.
YOU_EN: Final = frozenset("you your you're u yourself".split())
SELF_EN: Final = frozenset(
    """
    age ai alive anthropic artificial asleep awake birthday birthplace bored boss bot bots brain
    busy called chatbot chatgpt claude computer conscious copilot creator deepseek dream dreams
    emotions feelings fun gemini google gpt happy hobbies hobby human humans hungry intelligence
    intelligent joke jokes language languages learn llama llm lonely machine maker meta microsoft
    mistral mood name old openai origin origins person pets program programmed qwen real remember
    robot sad sentient siri sleep sleepy smart software tired virtual yourself
    """.split()
)
LANGUAGE_EN: Final = frozenset(
    """
    arabic cantonese chinese czech danish dutch english finnish french german greek hindi italian
    japanese korean latin mandarin norwegian polish portuguese russian spanish swedish thai turkish
    ukrainian vietnamese
    """.split()
)
SELF_FILLER_EN: Final = frozenset(
    """
    day night morning evening a able about actual actually allowed am an and any are as asking at
    be been being better built
    by can chat chats chatting come company conversation conversations could created curious
    different did do does earth else ever exactly feel feels for from get give go good have having
    he hello hey hi how i i'm if in invented is it just kind kinds know last like likes living made
    many me model models my of ok on one or our other please prefer really s say should some speak
    speaking system take talk talking tell than that the they thing things think this time to
    trained truly understand us use used version was we were what what's whats when where which who
    who's whom with work would wonder write year years
    """.split()
)

# A robot vacuum is no machine that answers.
_NOTHING_BEHIND: Final = r"(?=\W*$|[,.?!]| (?:or|to|tbh|then|lol|though|right)\b)"
# That a person or a machine is spoken to, in whatever words; the classifier must think so as well.
MACHINE: Final = re.compile(
    r"\b(?:(?:you|u|ya)(?:'re)?|this)\b(?: (?:are|r|is|sound|seem|look|act|talk|feel|behave)s?)"
    r"[^.?!]{0,20}\b(?:robot|(?:chat ?)?bot|ai|machine|human|person|computer|script)"
    rf"{_NOTHING_BEHIND}"
    r"|\b(?:are|r) (?:you|u)\b[^.?!]{0,20}\b(?:robot|(?:chat ?)?bot|ai|machine|human|person)"
    rf"{_NOTHING_BEHIND}"
    "|(?:这边|这里|那边|对面|现在|[你您](?!们))[^,。?!]{0,4}(?:是|像)[^,。?!]{0,4}"
    "(?:真人|机器人|机器|人工|ai|智能客服)(?=[吗吧呢啊呀么在回,.?!。]|还是|客服|$)"
)

# What the assistant is asked of itself: what it can do, how it works, which model it is.
ABOUT_EN: Final = re.compile(
    r"(?:(?:so|and|but|ok|okay|hi|hello|hey|well|please|just|wait|by the way|btw|sorry|excuse me"
    r"|hm+|(?:quick|honest|serious|random) question|out of curiosity|just curious|(?:can|may) i ask"
    r"|lol|tell me|i(?:'m| was)? wonder(?:ing)?|be honest|honestly)[,:.]? (?:- )?)*(?:"
    # Whether it can be trusted, and whether it is a machine that answers.
    r"(?:can|should|could) (?:i|we) (?:really )?(?:trust|rely on|believe) (?:you|what you say)"
    r"|(?:can|could) (?:you|u) be trusted(?: (?:with|about|on) (?!my|our)[\w ]{2,30})?"
    r"|are (?:you|u) (?:\w+ )?(?:right|wrong|reliable|accurate|honest|biased|up to date)"
    r"(?: (?:about|on) (?!my|our)[\w ]{2,30})?"
    r"|do (?:you|u) (?:ever |sometimes |often )?(?:make (?:mistakes|things up|stuff up)|lie|guess"
    r"|get (?:things|it|stuff) wrong)"
    r"|are (?:you|u) (?:\w+ )?(?:reading|typing|listening|answering|writing)(?: (?:this|me|these))?"
    r"(?: or (?:\w+ ?){1,5})?"
    r"|(?:is|are) (?:this|these) (?:all |just )?(?:an? )?"
    r"(?:automat(?:ic|ed) (?:answers?|reply|replies|chat|messages?)|scripted)"
    r"|(?:which|what|whose) (?:[\w']+ ){0,3}(?:ai|llm|(?:chat ?)?bot) (?:is|am|are|do|does) "
    r"(?:i |this |you |it )?(?:answer|reply|respond|talk|chatt?|speak|us|writ)(?:ing|e)?"
    r"(?: to| with)?(?: me| us)?|"
    r"what (?:all |else |exactly )?(?:can|could|do|will) you (?:do|know|help|offer me)"
    r"(?: me)?(?: with)?(?: for me| about| here| exactly)*"
    r"|what are you (?:able to do|capable of|good at|trained on|made of|made for|here for|for)"
    r"|(?:what|which) (?:kind |sort |type )?(?:of )?(?:\w+ )?(?:questions|things|topics|tasks"
    r"|stuff"
    r"|subjects) (?:can|could|do|may) (?:i|you) (?:ask|know|do|answer|help|handle)(?: you)?"
    r"(?: about| with| me with)?"
    r"|how (?:can|could|do|would) you help(?: me)?|how (?:do|did) you (?:work|learn|think)"
    r"|how (?:smart|clever|intelligent|good) are you|what (?:should|can|do|may) i call you"
    r"|(?:which|what) (?:\w+ ){0,3}(?:model|version|llm|ai|gpt|bot)(?: version)? (?:are|is) "
    r"(?:you|this)(?: based on| using| running)?(?: on)?"
    r"|(?:which|what) (?:\w+ ){0,3}(?:model|llm|ai) (?:do|did) you (?:use|run on)"
    r"|what(?:'s| is) your (?:\w+ )?(?:name|model|version|purpose|job|role|function|age"
    r"|knowledge cut-?off|training data|favou?rite \w+)"
    r"|how does (?:this|the|your) (?:\w+ )?(?:chat ?bot|bot|assistant|ai|chat|thing"
    r"|model) (?:work|think"
    r"|answer|know)(?: exactly)?"
    r"|what are your (?:\w+ )?(?:capabilities|skills|abilities|limits|limitations|features"
    r"|functions"
    r"|strengths|weaknesses|powers|hobbies|interests|goals|tasks|duties|instructions)"
    r"|(?:what(?:'s| is) the |is there a )?difference between you and [\w. -]{2,30}"
    r"|how (?:are|do) you (?:different|differ|compare)(?: (?:from|to|with|than) [\w. -]{2,30})?"
    r"|are you (?:like|better than|smarter than|faster than|the same as|related to|cheaper than)"
    r" [\w. -]{2,30}"
    r"|is there (?:a |an |any )?(?:real |actual |live )?(?:human|person|anyone|anybody|someone)"
    r" (?:behind|reading|there|on the other|at the other|in)[\w ]{0,25}"
    r"|(?:can|could|do|will|would) (?:you|i|we) (?:speak|talk|chat|write|answer|reply|respond"
    r"|help me"
    r"|help|ask|understand|read|type)(?: (?:you|to you|with you|me|questions))? in (?:\w+)"
    r"|(?:please )?(?:introduce|describe) yourself|(?:tell"
    r"|say)(?: me)? (?:\w+ ){0,2}about yourself"
    r"|(?:is this|(?:am|do|did) i (?:talk|speak|chat|writ|typ)(?:t?ing|e)? (?:to|with)|are you"
    r"|you're|you are) "
    r"(?:just |really |only |actually )?(?:a |an |some )?(?:real |actual |live )?(?:chat ?bot|bot"
    r"|robot|human(?: being)?|person|ai|machine|computer|program|automated|artificial"
    r"|language model|real|man|woman|boy|girl|male|female|(?:chat ?)?gpt[-\d.o]*|claude|gemini"
    r"|llama|qwen|deepseek|copilot|mistral|siri|alexa)(?: or (?:a |an )?(?:\w+ ?){1,3})?"
    r"|who (?:or what )?(?:are|r) (?:you|u)|who (?:\w+ )?(?:made|built|created|trained|developed"
    r"|designed|programmed|owns|runs|invented) you(?: up)?|are you (?:made|built|created|trained"
    r"|developed|run|owned|powered|based|running) (?:by|on|with|from) [\w. -]{2,30}"
    r"|(?:can|do|could) you (?:see|view|hear|read|draw|recogni[sz]e|understand|send|make|create) "
    r"(?:pictures?|images?|photos?|audio|voice|music|me|jokes?|poems?|code)"
    r"|(?:can|do) you (?:write|tell) (?:poems?|jokes?|stories|code)"
    r"|(?:do|can|will) you (?:learn|remember|forget|store|save|keep) "
    r"(?:me|things|this|(?:from )?(?:our|my|past|previous|earlier|the|this) (?:last |own )?"
    r"(?:names?|words|chats?|conversations?|messages?|questions?|talks?|data)"
    r"|what (?:i|we) (?:\w+ ?){1,4})"
    r")(?:,? (?:please|exactly|then|(?:right )?now|anyway|though|today|really|by the way|actually"
    r"|at the moment|or what|here|lol))*[?!. ]*"
)

ABOUT_ZH: Final = re.compile(
    "(?:那么?|请问|你好|您好|嗨|哈喽|喂|想问下?|问一下|所以|话说|对了|顺便问一下|请|麻烦|我想知道"
    "|除了[^,。]{1,6}(?:以外|之外)?|[,。! ])*(?:"
    "(?:我|现在)?(?:是)?在?(?:和|跟|同)(?:一个)?(?:真人|机器人|人工|AI|ai|人类|人|机器|程序)"
    "(?:在)?(?:聊天|说话|对话|聊|交流)"
    "|[你您](?!们)(?:到底|究竟|其实|真的|就|现在|也|都|难道|应该|还|平时|平常|一般|每天)*(?:"
    "是不?是?(?:个|一个|一名|一位)?(?:什么|啥|哪个|哪种|哪款|哪家|哪里|哪|谁|人|真人|活人|人类"
    "|机器人"
    "|机器|程序|人工|人工智能|智能|ai|AI|模型|大模型|语言模型|客服|chat ?gpt|gpt[-0-9.o]*|claude"
    "|gemini|deepseek|llama|qwen|kimi|copilot|siri|小爱(?:同学)?|文心一言|文心|通义千问|通义|豆包"
    "|元宝|智谱|讯飞星火|混元|电脑|软件|虚拟)(?:公司|的)?[^,。?!们]{0,10}"
    "|(?:能|会|可以|可|擅长|都?会|都?能|懂|有)(?:够|帮|替|给|为)?(?:我|我们)?(?:做|干|办|提供"
    "|帮忙|解决|回答|些)?"
    "(?:点|些|哪些|什么|啥|哪方面|什么样)(?:的|事情?|忙|问题|功能|本领|本事|技能|能力|用|帮助"
    "|特长|爱好"
    "|东西|优点|缺点|用处|做|方面|任务|什么|啥)*"
    "|(?:支持|会|懂|能|可以|能够|能不能|会不会|可不可以)(?:说|讲|用|看|听|看懂|听懂|写|回答|理解"
    "|讲一点)*(?:"
    "哪些|什么|几种|多少种|多少)?(?:种)?(?:中文|英文|英语|日语|日文|法语|法文|德语|德文|韩语|韩文"
    "|俄语"
    "|西班牙语|意大利语|葡萄牙语|阿拉伯语|泰语|越南语|粤语|广东话|方言|普通话|汉语|外语|语言"
    "|四川话|上海话)"
    "(?:交流|聊天|回答|说话)?"
    "|(?:会|能|可以|需要|要|用)(?:不会|不能)?(?:睡觉|睡|吃饭|累|疲倦|学习|思考|做梦|无聊|生气"
    "|难过|开心"
    "|写诗|写歌|画画|唱歌|唱|跳舞|讲笑话|写代码|编程|下棋|看图|看到我|看见我|听见|听到我|聊天"
    "|算命|算数|撒谎)"
    "|(?:能|会|可以)?(?:不能|不会)?(?:记住|记得|记下|保存|忘记)(?:我|我们|之前|上次|刚才|聊|说|过"
    "|的"
    "|内容|话|对话|名字|什么|聊天|记录)*"
    "|有(?:没有)?(?:自己的)?(?:名字|感情|情感|意识|情绪|思想|灵魂|女朋友|男朋友|对象|家人|爸妈"
    "|爱好|生日"
    "|身体|性别|朋友|梦想)"
    "|(?:是)?(?:用|由|靠|基于|被)[^,。?!们]{1,14}(?:做|开发|训练|驱动|搭建|写|造|设计"
    "|创造)(?:出来)?的?"
    "|(?:用|基于|采用|使用|背后)(?:的)?(?:是)?(?:什么|哪个|哪种|哪家)(?:的)?(?:大?模型|技术|算法"
    "|ai|AI|系统)"
    "|(?:今年)?(?:多大|几岁|多少岁|叫什么|叫啥|姓什么|姓啥|怎么称呼|从哪里?来|来自哪里?|住哪里?"
    "|在哪里?出生"
    "|什么星座|哪年出生|男的?还是女的?)(?:名字)?"
    "|(?:的)?(?:名字|版本|模型|开发者|开发商|创造者|主人|老板|年龄|生日|性别|爱好|功能|能力"
    "|训练数据|知识库?(?:截止|更新|停)|数据(?:截止|更新)|资料更新)"
    "[^,。?!们]{0,8}"
    "|(?:是)?(?:怎么|如何|怎样)(?:工作|运作|运行|学习|思考|训练|做出来|回答问题|被)[^,。?!们]{0,8}"
    "|(?:和|跟|与|比)(?:chat ?gpt|gpt[-0-9.o]*|claude|gemini|deepseek|文心一言|豆包|真人|人类|siri"
    "|人)"
    "[^,。?!们]{0,10}"
    "|是[^,。?!们家店]{0,6}(?:AI|ai|机器人|人工智能|大?模型|程序)"
    "|(?:能|会|可以|能够)?(?:不能)?(?:听懂|看懂|理解|明白|听得懂|看得懂)(?:我|人)?(?:说|讲"
    "|写)?(?:的)?(?:话|意思|什么)?"
    "|(?:能|会|可以|懂)(?:做|干|说|聊|回答|帮)?(?:我|我们)?[点些]?(?:别的|其他|其它)"
    "(?:的|事情?|东西|什么|问题|忙)*"
    "|(?:会不会|会|可能|经常|有时候?)(?:说错|出错|犯错|搞错|弄错|骗人|骗我|瞎编|乱说|胡说|撒谎)"
    "|(?:说|讲|回答)的(?:话|内容|东西|答案)?(?:都|是|是不是|能|可以)?(?:真的|准确?|可信|靠谱|信|对)"
    "|(?:学|看|读|想|玩|聊|忙)(?:过|了|些|点)?(?:什么|啥)"
    "|(?:聪明|智能|可靠|厉害|靠谱)"
    "|(?:能|会|可以|可)?(?:帮|替|给|为)?(?:我|我们)?(?:干嘛|干啥|做啥|干什么|做什么)(?:用)?的?"
    "|(?:知道|清楚|明白|认识)?[你您]?自己(?:是)?(?:谁|什么|哪里|个?机器人|AI|ai)?[^,。?!们]{0,6}"
    ")"
    "|(?:是)?(?:谁|哪家公司|哪个公司|哪家|什么公司|哪个团队)(?:开发|创造|制造|训练|设计|做|发明"
    "|造|研发|把)"
    "(?:了|出|出来)*(?:的)?[你您](?:做|造|开发|创造|设计|训练)?(?:出来)?的?"
    "|(?:介绍|说说|讲讲|谈谈|描述)(?:一下|下)?(?:关于)?[你您]自己|(?:做个?)?自我介绍(?:一下|下)?"
    "|(?:该|我该|我应该|要|我要)?(?:怎么|如何|怎样)称呼[你您]"
    "|[和跟同](?:我|咱)(?:说话|聊天|对话|聊|交流|打字)的(?:是|到底是)?(?:不是)?(?:个)?"
    "(?:真人|人类|人工|机器人|机器|程序|ai|人)[^,。?!]{0,4}"
    "|(?:[你您]们?|贵[店司行])?(?:的|这个?|那个?)?(?:智能|在线)?(?:ai|机器人|小助手|智能助手|聊天助手|智能客服)"
    "(?:到底|究竟|是不是|真的|都|也|挺|很|算)*(?:靠谱|聪明|智能|准确?|可靠|厉害|好用|傻|笨|会什么|能做什么"
    "|叫什么(?:名字)?|是谁[做开]发?的|是什么模型|是(?:用|哪)[^,。?!]{1,8})"
    "|这(?:是|里是|边是|个是)(?:不是)?(?:机器人|ai|AI|人工|真人|自动回复)[^,。?!]{0,4}"
    "|(?:现在|这边|对面|那边)?是?(?:机器人|真人|人工|自动|ai)(?:客服)?在?(?:回复|回答|聊天|接待|说话)"
    "(?:我|我们|消息|问题)?"
    "|(?:是)?(?:机器人|真人|人工|自动回复|人工智能)(?:还是(?:机器人|真人|人工|人))?"
    ")(?:吗|么|呢|呀|啊|吧|的|嘛|呐|来着|不|没有|没|了)*[?!。~ ]*",
    re.IGNORECASE,
)
