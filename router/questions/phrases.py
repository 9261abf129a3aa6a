"""The words and phrases, English and Chinese, by which `signals.py` reads a question.

Vocabulary only, as patterns over lower-case NFKC text; what follows from a match is not known here.
Written for this project. Adding a phrase: one line, and a row in tests/cases/signals.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def whole_words(lines: str) -> re.Pattern[str]:
    """Match any line as whole words; a line that begins with a bar continues the one before."""
    joined = lines.replace("\n|", "|").split("\n")[1:-1]
    return re.compile(r"(?<!\w)(?:" + "|".join(joined) + r")(?!\w)")


def any_line(lines: str) -> re.Pattern[str]:
    """Match any of the bar-separated phrases, anywhere, the longest first."""
    phrases = lines.replace("\n|", "|").replace("\n", "|").strip("|").split("|")
    return re.compile("|".join(sorted(filter(None, phrases), key=len, reverse=True)))


_AUX = "(?:is|are|am|was|were|do|does|did|can|could|may|will|would|should|has|have)"
_WH = "(?:who|whom|whose|what|when|where|which|why|how|whether)"
# What may stand before a question in its sentence.
_LEAD = (
    r"(?:^|[.?!;:\n]\s*)\W*(?:(?:hi|hello|hey|ok|okay|and|but|so|or|well|now|also|then|thanks"
    r"|thank you|please|good \w+|great|cool|nice|perfect|sorry|excuse me|btw|by the way|yes|no"
    r"|sure|haha|lol|cheers"
    r"|dear \w+|just|quick question|one more thing|another thing|there|again|actually"
    r"|oh)[,.!:]* )*"
)
# A statement holds "is a" and "which" as well: a question has them where questions begin.
QUESTION_EN: Final = re.compile(
    rf"{_LEAD}{_AUX}(?:n't)? (?!not\b|an? (?:nice|good|great|lovely|look|seat)\b|been\b|do\b)\w"
    rf"|{_LEAD}(?:for |at |in |until |till |from |since |by |to |on |with |about |of )?"
    rf"{_WH}(?:'s|'re|'d|'ll)?\b(?! an? )"
    rf"|\b(?:and|but|so|or|then|also|,) {_AUX} (?:i|you|it|they|we|he|she|there|your|my|this)\b"
    r"|\b(?:and|but|so|or|also|then) (?:what|how|why|whom|whose)\b(?! an? )"
    rf"|\b(?:what|when|where|why|how) {_AUX}\b|\b(?:what|when|where|how)'s\b"
    r"|\bhow (?:much|many|long|far|often|old|big|tall|late|early|soon|high|wide|heavy|fast|quickly"
    r"|to)\b|\bwhat (?:time|kind|sort|size|colou?rs?|day|date)\b"
    rf"|\b(?:know|tell|ask|say|wonder|wondering|sure|idea|explain|understand|check) (?:me |us )?"
    rf"(?:if|{_WH})\b"
    r"|\b(?:tell me|explain|let me know|looking for|find out|any idea|wonder(?:ing)?|curious about"
    r"|questions? (?:about|on|regarding)|interested in|overview of|number of|list of"
    r"|details? (?:of|on|about)|information (?:on|about|regarding)"
    r"|(?:want|need|like|love|wanted|curious) to (?:know|learn|find out|understand|hear about))\b"
)
# A question word that also asks beside an errand.
QUESTION_WORD: Final = re.compile(
    r"\b(?:how (?:much|many|long|do|does|can|to)|what (?:is|are|does)|when (?:is|are|do|does)"
    r"|where (?:is|are|do|does)|which|why)\b|多少|怎么|如何|为什么|哪|什么"
)
MINE: Final = re.compile(r"\b(?:my|mine|our|ours)\b|我的|我们的|我家的")
# A Chinese question to one person; in English "you" may as well be the shop.
ARE_YOU: Final = re.compile("[你您](?![们家店这那]|有|知道|给)")
YOURS: Final = re.compile(r"\byours?\b|[你您]们|[你您]家")
YOU: Final = re.compile(
    r"\b(?:you|you're|yourself|u|ya)\b|\byour (?:\w+ )?(?:name|age|boss|maker|creator|origin"
    r"|birthday"
    r"|country|home|hobb\w+|pets?|purpose|owner|family|favou?rite|day|week|weekend|evening"
    r"|morning|night|mood|life)\b|[你您](?!们|家|店)"
)
POLICY_EN: Final = whole_words(r"""
returns?|refunds?|exchanges?|warrant(?:y|ies)|guarantees?|deliver(?:y|ies)|shipping|postage
prices?|pricing|costs?|fees?|charges?|discounts?|vouchers?|invoices?|receipts?|vat
opening (?:hours|times)|deadlines?|polic(?:y|ies)|terms|eligib(?:le|ility)|address
phone number|repairs?|spare parts|cancell?ation
""")
QUESTION_ZH: Final = re.compile(
    "(?<!没)什么(?![都也])|怎么(?![都也])|怎样|如何|为什么|为何|为啥|哪(?![都也]|怕)|谁(?![都也])"
    "|多少|多久|多长|多大|多远|多高|多重"
    "|第几|几[天个次年月日时点小周岁件元块张份种]|何时|何地|是否|是不是|有没有|能不能|可不可以"
    "|会不会|要不要|需不需要|吗|么[?？]"
    "|呢[?？。!！]?$|(?<!没)啥|咋|告诉我|介绍|说明一下|解释|查一下|查询|想知道|想了解|了解一下"
    "|请问"
)
POLICY_ZH: Final = re.compile(
    "退货|退款|换货|退换|保修|质保|维修|发票|运费|邮费|快递|配送|送货|发货|物流|价格|价钱|费用"
    "|收费"
    "|优惠|折扣|押金|营业时间|开门|关门|地址|电话|期限|有效期|政策|规定|条款|流程|条件|截止"
)
# What was done with a thing, or cannot be done with it; and what is only known by hearsay.
_HANDLED_ZH: Final = (
    "(?:没|已经|都|就|刚|被|才)[^,。?!]{0,3}"
    "(?:换|退|修|拆|剪|穿|戴|洗过|用过|取|领|办|申请|签|寄|付|扣|刷|存|锁|冻结|激活|绑定)"
    "|(?:取|领|办|换|退|登|付|刷|查|进|连|收|寄|提|转)不(?:了|到|上|出|进)"
    "|(?:可|能|可以|不能|想|要|不|已)退(?!休|出|步)|拆封|无理由|吊牌|标签|小票|凭证|缴费"
)
HEARSAY_ZH: Final = re.compile(
    "听说|据说|(?:我|还|一直)以为|说好的?|说是|[网官页]上[看写说]|(?:朋友|同事|同学|邻居|别人|有人)[^,。]{0,2}说"
    "|不知道(?:有没有|能不能|可不可以|要不要|是不是|会不会|需不需要)"
)
# Words of the house in a bank, a hotel, a clinic, a gym, a telephone company.
_OTHER_HOUSES: Final = (
    r"|\b(?:check-?(?:in|out)|breakfast included|sauna|spa|lobby|reception|suites?|towels?"
    r"|mortgages?|loans?|overdrafts?|interest rates?|deposits?|withdraw\w*|statements?|balance"
    r"|iban|pin|atm|transfers?|insurance|claims?|prescriptions?|clinic|patients?|surgery|x-?rays?"
    r"|vaccin\w*|blood tests?|tariffs?|roaming|broadband|sim|passport|licen[cs]e"
    r"|doctors?|dentists?|nurses?|\w+(?:ologists?|iatricians?)|flights?|luggage|suitcases?|bags?|arrivals?|unused|unworn|tags?)\b"
    "|(?:这[边里儿]|附近|店里|酒店|医院)[^,。?!]{0,4}有(?!人|点|些|意思)|利率|利息|贷款|房贷|转账|汇款|取款|存款|银行卡|信用卡|工资卡|储蓄|账户|额度|还款|网银|理财"
    "|入住|退房|续住|延住|房间|早餐|前台|泳池|浴缸|毛巾|挂号|门诊|住院|体检|拍片|处方|疫苗|医保|报销"
    "|医生|药|课程|私教|套餐|流量|宽带|话费|身份证|护照"
)
# What a shop is asked whether it does; nobody asks it of an assistant of text.
_DO_YOU: Final = (
    r"|\b(?:do|can|could|would|will|does|did) (?:you|u|ya)(?: guys| also| still| all)? "
    r"(?:take|accept|offer|carry|charge|rent|provide|cover|allow|match|stock|supply|serve|hono?ur|refill|treat)\b"
    r"|\b(?:all|any|every|each|some|the) (?:\w+ ){1,4}(?:that )?(?:you|u) "
    r"(?:have|offer|got|sell|provide|take|accept)\b"
)
# Words of trade: a sure class of small talk is not believed beside one of them.
TRADE: Final = re.compile(
    f"{POLICY_EN.pattern}|{POLICY_ZH.pattern}|{_HANDLED_ZH}|{HEARSAY_ZH.pattern}{_OTHER_HOUSES}{_DO_YOU}"
    + r"|\b(?:open(?:s|ed|ing)?|clos(?:e|es|ed|ing)|shops?|stores?|order(?:s|ed|ing)?|deliver\w*"
    r"|buy(?:ing)?|bought|sell(?:s|ing)?|sold|stock|available|sizes?|staff|hir(?:e|ing)|jobs?|vacanc\w+"
    r"|park(?:ing)?|pay(?:s|ing|ments?)?|card|cash|book(?:ing)?|appointments?|account|customers?"
    r"|manager|located|location|branch(?:es)?|products?|items?|repair\w*|fix|install\w*|ship\w*"
    r"|made in|made of|materials?|colou?rs?|dogs?|wheelchair|children|kids|members?|club|points"
    r"|rooms?|menu|reserv\w*|tickets?|website|app|login|password|sign up|contract|company"
    r"|founded|employees?|you guys|service|parcels?|packages?|arrived|broken|damaged"
    r"|drivers?|quality|doesn't|won't|stopped|broke|leak\w*|flicker\w*|missing|problems?|issues?"
    r"|fault\w*|crack\w*|scratch\w*|wobbl\w*|loose|not working)\b"
    "|你们|贵店|贵司|店|营业|开门|关门|几点|上班|下班时间|买|卖|订|货|价|钱|免费|付|刷卡|现金|停车"
    "|会员|积分|预约|安装|尺寸|颜色|材质"
    "|库存|账号|密码|客服|人工|招聘|公司|老板|地铁|公交|门票|票价|景点|酒店|餐馆"
    "|收到|送到|送来|到货|到了|碎[了的]|坏[了的]|破[了的]|司机|师傅|包裹|快递|质量|服务|包装"
    "|不亮|不动|打不开|没电|漏水|漏电|闪烁|异响|失灵|故障|开裂|划痕|缺件|少了|有问题|出问题"
    "|不工作|用不了"
    "|不能用"
)
# A quantity is hardly ever asked of nobody in particular: it is small talk only about "you".
QUANTITY: Final = re.compile(
    r"\bhow (?:much|many|long|far|often|soon|late|early)\b|\bwhat time\b"
    "|多少|多久|多长时间|几[点天个次号折岁楼层]"
)
QUESTION_MARK: Final = re.compile(r"[?？]")
# How words are typed in haste, and what they stand for.
HASTE: Final = re.compile(
    r"\b(?:(?P<verb>do|does|did|is|are|was|were|have|has|had|could|would|should)nt|(?P<cant>cant)|(?P<could>cld)"
    r"|(?P<is>what|that|how|where|who|here|there)s|(?P<please>pls|plz|plse)|(?P<have>i)ve"
    r"|(?P<am>i)m|(?P<are>you|they)re|(?P<thanks>thx|thnx|tnx|thanx))\b"
)
HASTE_MEANS: Final[Mapping[str, str]] = {
    "verb": r"{}n't",
    "cant": "can't",
    "could": "could",
    "is": "{}'s",
    "please": "please",
    "have": "{}'ve",
    "am": "{}'m",
    "are": "{}'re",
    "thanks": "thanks",
}

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
        r"|\bnumbered list\b|\blist (?:all|the|every|out|me|your|of your)\b"
        r"|列出|列举|罗列|列个清单|分点|逐条|清单形式"
    ),
    "translate": re.compile(r"\btranslat(?:e|ion|ing)\b|翻译|译成|译为"),
    "rewrite": re.compile(
        r"\b(?:rewrite|rephrase|reword|paraphrase|proofread|summari[sz]e|shorten|polish)\b"
        r"|\bin (?:our|the) house style\b|改写|重写|润色|缩写成|总结一下|概括|改成|精简"
    ),
}

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
