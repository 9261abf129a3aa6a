"""The words by which `talk.py` knows small talk and a wish about the answer before.

Vocabulary only, as patterns over lower-case NFKC text; what follows from a match is not known here.
Written for this project. Adding a phrase: one line, and a row in tests/cases/signals.yaml.
"""

from __future__ import annotations

from typing import Final

from router.questions.phrases import any_line, whole_words

CHAT_EN: Final = whole_words(r"""
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
(?:you |all |everything )(?:good|ok|okay|alright|fine|well)
how(?:'s| is) (?:it going|everything|life|your day(?: going)?|things)
how (?:are|r) (?:you|u|ya|things)(?: doing| today| feeling)*
(?:what's|whats|what is) up|wassup|sup|how do you do|how have you been
what(?:'s| is) your name|who are you|what are you|do you have a name
are you (?:a |an )?(?:robot|bot|human|person|real|real person|machine|ai|chatbot|computer)
(?:who|what company|which company) (?:made|built|created|trained|programmed) you|how old are you
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
i(?:'ve| have)? (?:just |already )?(?:figured|worked|sorted|found|solved|managed) (?:it|that)
you(?:'re| are) (?:\w+ )?(?:better|nicer|faster|smarter|funnier|kinder|quicker) than [\w' ]+
phew|(?:what|such) a relief|(?:there's )?no (?:rush|hurry)|take your time
wrong (?:chat|window|person|number|tab)|(?:that|this) (?:wasn't|isn't) (?:meant )?for you
ignore (?:that|this|me|my last message)|out|myself|in the end|hm+|tyvm|ta
i'll (?:give (?:it|that) a (?:go|try|shot)|try (?:it|that)|do that|let you know|wait|be back|pass)
(?:let me|i(?:'ll| will| have to| need to)) (?:think|sleep)(?: (?:about|on|over) (?:it|that|this))?
""")

# Words that may stand around chit-chat without giving it a subject.
CHAT_FILLER_EN: Final = frozenset(
    """
    a and ah all an any anyway as assistant back bot buddy dear do everything for friend from guys
    help helping honestly i it just later man mate me my much now of oh please pretty quick really
    right sir say saying so soon still support team that the then there this time to today tomorrow
    too um very was we well with you your yours
    """.split()
)

CHAT_ZH: Final = any_line("""
早上好|上午好|中午好|下午好|晚上好|早安|午安|晚安|早啊|你好|您好|大家好|哈喽|哈啰|嗨|嘿|喂
在吗|在么|在嘛|在不在|在线吗|有人吗|有人在吗|还在吗|你在吗|您在吗
非常感谢|十分感谢|太感谢了|感谢|多谢|谢谢|谢了|谢啦|3q|辛苦[你您大]?[们家]?[了啦咯喽]|麻烦[你您]?们?[了啦咯喽]
再见|拜拜|回头见|回见|明天见|下次见|改天聊|回头聊|下次聊|先这样|就这样|没事了|没有了|没别的了
你是谁|您是谁|你叫什么名字|你叫什么|您贵姓|你多大了|你几岁了|你从哪里来|你是哪里人
你是机器人吗|你是人吗|你是真人吗|是真人吗|是机器人吗|谁创造了你|谁开发了你|你会做什么|你会什么
讲个笑话|说个笑话|来个笑话|讲个故事|陪我聊聊天|陪我聊天|聊聊天|无聊
最近怎么样|最近如何|最近忙吗|最近忙不忙|忙吗|忙不忙|在忙什么|在忙吗|在干嘛|在干什么|干嘛呢
|过得好吗|身体好吗|最近好吗|你好吗|您好吗|吃了吗|吃饭了吗|过得怎么样|心情不好
好的|好滴|好嘞|好呀|好吧|好哒|行吧|可以的|嗯嗯|嗯|哦哦|噢|知道了|明白了|明白|了解了|了解|懂了|收到
没问题|没关系|不客气|哈哈|呵呵|嘻嘻|嘿嘿|太好了|太棒了|真棒|真好|厉害|不错|加油
你真好|你真棒|你真厉害|你真聪明|我喜欢你|我爱你|对不起|抱歉|不好意思|打扰了|打扰一下
祝你好运|祝您生活愉快|祝您工作顺利|祝你|祝您|新年快乐|生日快乐|节日快乐|周末愉快|生活愉快|恭喜发财
请问一下|请问|我想问一下|想问一下|问一下|问个问题|我有个问题|能帮我吗|可以帮我吗|帮帮我|客服|亲
|测试
""")
CHAT_FILLER_ZH: Final = frozenset(
    "行嘿呵你您我啊呀哦噢嗯呢吧了的啦哈嘛嘞哟喔诶哎唉么吗就那都很太真非常是也还先大家们给帮"
)

# Remarks on weather, time, mood and the talk itself: one such word, and only those below beside it.
LIFE_EN: Final = frozenset(
    """
    asleep awful beautiful bed birthday bored cat dog homework kitten puppy exam exams hangover
    neighbours party boring bot breakfast chilly christmas clever cloudy
    coffee cold cool crazy cute day days dinner drained dream dreary evening exhausted exhausting
    foggy freezing friday fun funny gloomy good gorgeous grey haha hahaha happy headache hilarious
    hot humid hungry hot hilarious impressive interesting joke laugh lazy life lol lonely lovely
    lunch miserable monday mondays mood moody morning nap nervous nice night rain raining rainy sad
    saturday sick sleep sleepy slept smart smile snow snowing snowy starving stormy stress stressed
    stressful summer sun sunny sunday sunshine sweet tea thirsty thursday tired tiring traffic
    tuesday unwell warm weather wednesday week weekend wet wind windy winter wonderful woke work
    yawn
    """.split()
)
LIFE_FILLER_EN: Final = frozenset(
    """
    brr brrr phew ugh argh meh yikes whew aww ooh gosh omg eek
    a absolutely actually woke wake woken hate love enjoy prefer ate barking go should cried
    crying dancing eat eating
    playing sitting
    sleeping
    snoring singing studying a absolutely actually again ah all already also am an and any are
    aren't at back bad be been
    being bit but by can't could didn't do don't done down ever far feel feeling feels felt finally
    fine for from get gets getting glad going gonna got had has have haven't he her here him his
    home how i i'd i'll i'm i've in is isn't it it's just keep kind last late like little long look
    looks loads lot lots love made make makes man me more much must my never no not of oh ok on one
    out outside over perfect pretty probably quite rather really right same say saying she since so
    some sorry sort still such super than thank thanks that that's the then there these they think
    this those thought time to today tomorrow tonight too totally ugh up us very was wasn't way we
    we're well went were what when whole will wish with wow yay yeah yes yesterday yet you you're
    your yourself
    """.split()
)
LIFE_ZH: Final = any_line("""
天气|迟到|早点休息|休息|月色|风|阳光|月亮|月色|空气|星星|辛苦|打工人|尴尬|春天来了|下雨|下雪|大雨
|小雨|大雪|雨|雪|太阳
|阴天|晴天|刮风|大风|台风|雾霾
|闷热|热死|冷死|好热|好冷
|炎热|凉快|暖和
热|冷|累死|好累|累|困死|困|饿死|饿|渴|烦死|烦|郁闷|难过|伤心|难受|孤独|寂寞|无聊|开心|高兴|快乐
|幸福|心情|心累
头疼|头痛|感冒|生病|失眠|没睡好|没睡|睡不着|睡觉|起床|早起|熬夜|做梦|好梦|周末|周一|周二|周三|周四
|周五|周六|周日
星期[一二三四五六日天]|礼拜[一二三四五六日天]|下班|上班|加班|放假|放学|上学|考试|堵车|吃饭|午饭
|晚饭|早饭|咖啡|奶茶|喝茶
有意思|有趣|幽默|搞笑|好笑|笑死|逗|可爱|聪明|机灵|贴心|善良|温柔|厉害|牛|强|棒|赞|酷|会说话|会聊天
|好玩|生日|过年|春节
中秋|圣诞|节日|夏天|冬天|春天|秋天|压力|忙|闲|失恋|随便问问|随便聊聊|随便看看|路过|打个招呼|来看看
|说说话|聊聊|冷笑话
笑话|佩服|羡慕|感动|谢天谢地|时间过得
""")
LIFE_FILLER_ZH: Final = any_line("""
今天|昨天|明天|今晚|昨晚|昨夜|今早|早上|晚上|下午|中午|上午|现在|刚才|刚刚|刚|最近|这几天|外面
|这里|我们|我家|我|你们|你|您|他|她
这天|这|那|就是|可是|但是|不过|所以|因为|终于|总算|居然|竟然|果然|又是|又要|又|还是|还|也是|也|都
|太|真的|真是|真|好像|好|很
非常|特别|超级|超|挺|蛮|有点儿|有点|一点|一些|一|可|实在|简直|快|要|想|是|在|到|得|地|的|了|过|着
|啦|啊|呀|哦|噢|嗯|哈|嘿|哎呀|哎|唉
哇|诶|喔|呢|吧|哟|嘛|死|极|不行|不得了|天|日子|感觉|觉得|不|没|有|会|个|听|讲|说|出|去|来|人|事|早
|晚|下|上|起|大|小|多|心里|外头|整天
""")
# What is wished of the last answer: said again, shorter, in other words, doubted, agreed to.
WISH_EN: Final = whole_words(r"""
repeat|again|once more|one more time|pardon|come again|rephrase|reword|paraphrase|translate
summari[sz]e|sum (?:it|that|this) up|shorten|simplify|clarify|elaborate|shorter|briefer|simpler
longer|clearer|easier|slower|slowly|in short|tl;?dr|in other words|differently|another way
like i'?m (?:new to (?:this|it|that)|an? \w+|\w+)
like (?:i am|you would to) (?:\w+ )?\w+|to a (?:child|kid|beginner
|five[- ]year[- ]old)
explain (?:it|that|this)(?: (?:to|for) (?:me|my \w+|an? [\w -]+))?
read (?:it|that|this) (?:back|out)|why (?:did|do|would) you (?:just )?(?:say|write|think)[\w ,'-]*
(?:is|was) (?:that|this|it) (?:really |actually )?what (?:it|they|you) (?:says?|said|means?|meant)
too much (?:text|detail|information|info)|too (?:wordy|vague|technical|detailed|general|fast)
(?:the )?(?:gist|essence|main points?|key points?)|what makes you (?:say|think)[\w ,'-]*
how do you know(?: (?:that|this))?
(?:the |a )?(?:short|shorter|long|longer|simple|simpler|brief) version|(?:a |the )?(?:short 
|brief |quick )?summary
(?:i'm |i am )?not (?:quite |really )?sure (?:i|what) \w+(?: you mean| that)?
huh|eh\?|sorry\?|what now\?
(?:like|to|for) an? (?:\w+ )?(?:child|kid|beginner|baby|toddler|layman|pupil)
too long|too short|too complicated|too much text|to the point|more (?:briefly|simply|slowly
|politely|formally|clearly|formal|polite|casual|concise|friendly)|less (?:formal|technical|text)
formal|polite|politely|concise|simple|plain|brief|briefly
as an? (?:\w+ )?(?:table|list|email|poem|sentence|json|tweet)
(?:in|into|as) (?:a |an )?(?:table|list|json|yaml|csv|markdown|bullet points|bullets|points)
bullet points|bullets|json|yaml|csv|markdown|a table|step by step
what did you (?:just )?say|what (?:do|did) you mean(?: by (?:that|this|it))?|what does (?:that|this
|it) mean|what was (?:that|the (?:last|first) (?:part|one|thing))|what\?
(?:i )?(?:don't|didn't) (?:get|understand) (?:the|that) (?:part|bit)(?: (?:about|in) [\w ]+)?
(?:that|this|it) (?:doesn't|can't|cannot) (?:sound|seem|look|be|feel) (?:right|correct|true)
(?:that|this|it) (?:seems|sounds|looks) (?:\w+ )?(?:wrong|off|odd|strange|weird|fishy|unlikely)
(?:i )?(?:don't|didn't|do not|did not|can't|cannot) (?:quite |really )?(?:get|understand|follow
|catch|hear)
(?:not |un)clear|makes? no sense|i'?m (?:confused|lost)|confusing|are you (?:sure|certain|serious)
(?:is|was) (?:that|this|it) (?:really |actually )?(?:true|right|correct|so|real)
(?:that's|that is|you're|you are|this is|it's) (?:not (?:true|right|correct|what i (?:meant|asked
|said
|wanted))|wrong|incorrect|false)|not what i (?:meant|asked|said|wanted)|no way|really\?|seriously\?
(?:i )?doubt (?:it|that)|i don't believe (?:it|that|you)|says who
yes|yeah|yep|yup|yes please|please do|go ahead|go on|continue|keep going|carry on|do (?:it|that|so)
no|nope|nah|not really|neither|both|the (?:first|second|third|last|former|latter)(?: one| option)?
option \w+|maybe|perhaps|exactly|correct|right|that one|this one|of course|definitely|absolutely
i (?:would|'d) (?:like|love) that|sounds good|why not|next|and then|carry on
in (?:one|two|three|a few|fewer|ten|\d+) (?:words?|sentences?|lines?|points?)
""")
WISH_FILLER_EN: Final = frozenset(
    """
    a about all an and answer as be bit but can can't could do doing explain for from get give go
    had have
    hey hi hm hmm i i'd i'm i've in into is it it's its just kindly language last let like little
    lines list little loud make makes me message more much my need now of oh ok okay on once one
    only out part paragraph please point points put quickly reply response rest said same say
    sentence sentences should so some sorry still sure text thank thanks that that's the them then
    there thing things this those time to too two uh um understand up us use wait want was way well
    were what with word words would write you your yours
    """.split()
)
WISH_ZH: Final = any_line("""
再[说讲来念写回解释答描述]{1,2}一?[遍次下回]|再说|再讲|重复|重说|重新说|重讲|复述|再来[一]?[遍次]
简单[点些]|简短[点些]?|简洁|精简|缩短|短[一]?[点些]|长[一]?[点些]|太长|太短|太复杂|太啰嗦|说重点
|重点|通俗|易懂|大白话|白话|慢[一]?[点些]|慢慢说|说慢|说短|说长
^[啊哈嗯,?]*什么[?]?$|啊[?]|具体|详细|仔细|完整|生动|自然|专业|友好|亲切|翻成|写成|说成|换成|[中英日法德韩俄][文语]发给我|怎么说|怎么讲|清楚|直白|明了|没[看听弄搞]?[懂清]
|没[看听弄搞]?明白|换[个一]?[种个]?说法
|换[个一]?[种个]?方式
|换[个一]?[种个]?表达|换[个一]?[种个]?语气
|换[个一]?[种个]?讲法|换句话说|总结|概括|归纳|一句话|翻译|译成
|用[中英日法德韩俄西]|用[^,。?!]{1,4}[语文]
[中英日法德韩俄][文语]|粤语|西班牙语|意大利语|葡萄牙语|阿拉伯语|列成|做成|整理|表格|列表|清单
|分点|要点|礼貌|正式|客气|口语|委婉
你确定|确定吗|确定么|确定|真的吗|真的假的|真的么|真的|是真的|对吗|对不对|没错吧|是吗|不会吧|骗人
|不信|不对|错了|说错|搞错|不是这个意思
什么意思|啥意思|没听懂|听不懂|没看懂|看不懂|没听清|没明白|不明白|不太明白|不懂|没懂|不太懂|刚才说
|刚刚说|刚说|你说什么|说什么|说啥|上一条
上一句|上面说|前面说|继续|接着说|往下说|然后|请讲|请说|是的|是呀|是啊|对的|对呀|对啊|对|没错|要的
|要|需要|可以|行|好|好的|好啊|不用|不要|不必
不需要|算了|不是|没有|都不|两个都|都要|第[一二三四五六][个点条句段步项]|最后[一]?[个点条句段步项]|前者|后者|^换一个[吧呗]?$|改短|改得|写[短长简]|展开说
|为什么这么说|怎么这么说
""")
WISH_FILLER_ZH: Final = any_line("""
给我[妈爸爷奶家][妈爸爷奶人]?|半天|还是|听了|看了|解释|说明|请你|请|没|列出来?|列一下|列|麻烦你?|能不能|可不可以|可以|能|帮我|帮忙|给我|把|将|用|刚才|刚刚|上面|前面|你的|你|您
|我的|我|说的|说得|讲的|回答|答案|内容|那段|那个|这段
这个|那些|这些|这句|那句|话|说|讲|写|念|一遍|一次|一下|一点|一些|一|点|些|再|更|又|还|重新|成|为
|得|地|的|了|吗|么|呢|吧|啊|呀|哦|嗯|哈|嘛|来|下
太|有点|很|好|谢谢|多谢|谢|辛苦|哎|唉|不好意思|抱歉|所以|那么|那|就|是|到|什么|短|长|简单|个|种|遍
|次|语言|语|文|版|格式|形式|形|详|我想|我要|想|要
""")
