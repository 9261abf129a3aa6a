"""The patterns of checkable kinds: how one looks, what it must satisfy, which words announce it.

They read the one spelling that `spelling.py` makes. Han letters are word characters to `re`, so
borders are look-arounds. Every repetition is bounded, so that no text takes long.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.data.personal.check_digits import (
    is_address,
    is_credit_code,
    is_hong_kong_id,
    is_iban,
    is_luhn,
    is_old_resident_id,
    is_own_line,
    is_resident_id,
    is_ssn,
    is_taiwan_id,
)

# Five digits or more that belong together, or four with dots: all numbers have them.
NUMBER: Final = re.compile(
    r"[0-9](?:(?:[^0-9A-Za-z\u3400-\u9fff\n]{0,3}[0-9]){4,}|[0-9]{0,2}(?:[.。][0-9]{1,3}){3})"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """How one kind is recognised: its shape, then a check, or words before or behind it.

    Attributes:
        kind: Its name.
        shape: The pattern.
        holds: Whether a value without separators is really one; None where the shape says enough.
        cue: What shortly before a match makes up for a failed check, or is needed where there is
            none.
        behind: The same directly behind it.
        unless: What directly before a match says that it is something else.
        cue_chars: How far before a match a cue may stand.
        may_stand_alone: Whether a match that is all of its text needs no cue.
        signs: One of them stands in a text that holds one; none where `NUMBER` is the sign, and
            the shape is then looked for around numbers alone.
    """

    kind: str
    shape: re.Pattern[str]
    holds: Callable[[str], bool] | None = None
    cue: re.Pattern[str] | None = None
    behind: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    cue_chars: int = 24  # "card number, as I said: "
    may_stand_alone: bool = False
    signs: tuple[str, ...] = ()


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _cases(*words: str) -> tuple[str, ...]:
    return tuple({form for word in words for form in (word, word.upper(), word.capitalize())})


_L = "0-9A-Za-z"
_HEX = "0-9A-Fa-f"  # a number is part of a longer one, or of a digest; "13812345678hhh" is none
_CREDIT = "0-9A-HJ-NPQRTUWXY"
_PLATE_PLACES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_EMAIL_NAME = rf"(?<![{_L}._%+-])[{_L}_%+-][{_L}._%+-]{{0,63}}"
_S = "[ ._/~-]"  # between the groups of a number
_EXTENSION = r"(?: ?(?:-|转|轉|分机|分機|x|ext\.?|extension)[:： ]?\d{1,6})?"
_AREA = r"(?:10|2\d|[3-9]\d{2})"
_CHINA = r"(?:\(?(?:\+|00)?86\)?[ -]{0,2})?"

_OTHER_NUMBER = _words(
    r"(?:订单|訂單|单号|單號|运单|快递|流水|交易|发票|序列|条码|合同|批次|库存|货号|型号|IMEI|ISBN"
    r"|\bSN|\bSKU|\border|\btracking|\binvoice|\bserial|\bticket|\bcase|\bpart|\bref(?:erence)?)"
    r"(?:编?号码?|[ #]*(?:number|num|no|id)\b\.?)?[^\w]{0,3}(?:是|为|is\b)?[^\w]{0,3}$"
)
_CARD_CUE = _words(
    r"卡号|卡號|[行用蓄记记]卡|账[号户]|帐[号户]|[帳賬][號戶]|\bcard\b|\bcredit\b|\bdebit\b|\biban\b"
)
_ID_CUE = re.compile(r"身[份分]|证件|證件|[证證][号號]|\bID\b|HKID")
_PHONE_CUE = _words(
    r"\b(?:phone|tel|telephone|telephones|mobile|cell|cellphone|call|calling|fax|dial|contact"
    r"|contacts|whatsapp|sms|desk|landline|hotline|reach|registered|text me|ring|callback"
    r"|(?:my|new|your|his|her|home|work|office) number)\b"
)
_PHONE_BEHIND = _words(
    r"[ \t]?(?:[-,:(/][ \t]?|is (?:my|our|his|her|the) )?"
    r"(?:home|work|office|fax|mobile|cell|phone|tel|direct|landline|desk)\b"
)
_ZH_PHONE_CUE = re.compile(
    r"电话|電話|手机|手機|致电|來電|来电|座机|座機|号码是|號碼|拨打|撥打|传真|傳真|记一下|联系|聯繫|聯絡"
    r"|热线|打给?$|微信|[tT][eE][lL]"
)
_ZH_PHONE_BEHIND = re.compile(
    r"(?:[ ,，。(（]{0,2}|这个|这是|是?[我他她你]们?的?|的)"
    r"(?:电话|電話|手机|手機|座机|座機|传真|傳真|号码|號碼)"
    r"|这个(?:号|就行)|打过来"
)
# In the order in which they take a stretch of text; an earlier kind is the more certain one.
PATTERNS: Final = (
    Pattern(
        "email",
        _words(
            rf"{_EMAIL_NAME} ?@ ?(?:[{_L}-]{{1,63}}[.。]){{1,8}}"
            rf"(?:com|net|org|cn|hk|tw|edu|gov|io|me|xyz|top|vip|co|uk|de|fr|jp|example)(?![{_L}])(?!\.[{_L}])"
        ),
        signs=("@",),
    ),
    Pattern(
        "email",
        re.compile(
            rf"{_EMAIL_NAME}@(?:[{_L}-]{{1,63}}\.){{1,8}}[A-Za-z]{{2,24}}"
            rf"(?![{_L}])"
        ),
        signs=("@",),
    ),
    Pattern(
        "email",
        _words(
            rf"{_EMAIL_NAME}(?: ?(?:\(at\)|\[at\]|<at>|\(?艾特\)?) ?"
            rf"(?:[{_L}-]{{1,63}} ?(?:\.|点|\(dot\)|\[dot\]| dot ) ?){{1,4}}"
            rf"| at (?:[{_L}-]{{1,63}} dot ){{1,4}})"
            rf"(?:com|net|org|cn|hk|tw|edu|gov|io)(?![{_L}])"
        ),
        signs=(" dot ", "(at)", "[at]", "<at>", "(AT)", "[AT]", "艾特"),
    ),
    Pattern(
        "email",
        _words(
            rf"{_EMAIL_NAME}#(?:qq|163|126|139|189|sina|sohu|foxmail|gmail"
            rf"|outlook|hotmail|yahoo|aliyun|icloud|example)\.(?:com|cn|net)(?![{_L}])"
        ),
        signs=("#",),
    ),
    Pattern(
        "wechat_id",
        re.compile(rf"(?<![{_L}_@.-])[A-Za-z][{_L}_-]{{5,19}}(?![{_L}_@-])"),
        cue=_words(
            r"(?:微信号|微信號|微信ID|wechat id|wxid)[ :：=]{0,3}(?:是|为|為)?[ :：]{0,2}$"
            r"|(?:微信|[薇威V]信|\bwechat|\b[vw]x)[ ]?[:：是=][ ]?$"
            r"|加(?:我|个|下|一下)?(?:微信|[薇威V]信|[vw]x|V)[ :：]?$"
        ),
        signs=(
            "微信",
            "薇信",
            "威信",
            "WeChat",
            *_cases("wechat", "vx", "wx"),
            "v信",
            "V信",
            "加V",
        ),
    ),
    Pattern(
        "qq_number",
        re.compile(rf"(?<![{_L}])[1-9](?: ?\d){{4,10}}(?![{_L}])"),
        cue=_words(r"(?:QQ|扣扣|企鹅)(?:号码?|號碼?)?[ :：=]{0,3}(?:是|为|為)?[ :：]{0,2}$"),
        signs=(*_cases("qq"), "扣扣", "企鹅"),
    ),
    Pattern(
        "ip_address",
        re.compile(rf"(?<![{_L}.-])(?:\d{{1,3}}[.。]){{3}}\d{{1,3}}(?![.-]?[{_L}])"),
        holds=is_address,
        unless=_words(r"(?:版本号?|\bversion|\bver\.?)[:： ]{0,3}$"),
    ),
    Pattern(
        "ip_address",
        re.compile(
            rf"(?<![{_L}:.])(?:(?:[{_HEX}]{{1,4}}::?){{2,7}}|(?=[{_HEX}:]{{0,8}}\d)[{_HEX}]{{3,4}}::)"
            rf"[{_HEX}]{{1,4}}(?![{_L}:])"
        ),
        holds=is_address,
        signs=(":",),
    ),
    Pattern(
        "cn_resident_id",
        re.compile(rf"(?<![{_L}])(?<!\d[.-])[1-9](?:{_S}?\d){{16}}{_S}?[\dXx](?![{_HEX}])"),
        holds=is_resident_id,
    ),
    Pattern(
        "cn_resident_id",
        re.compile(
            rf"(?<![{_L}])[1-9]\d{{5}}{_S}?(?:18|19|20)\d\d{_S}?(?:0[1-9]|1[0-2]){_S}?"
            rf"(?:0[1-9]|[12]\d|3[01]){_S}?\d{{3}}[\dXx](?![{_HEX}])"
        ),
        cue=_ID_CUE,
    ),
    Pattern(
        "cn_resident_id",  # as until 1999
        re.compile(rf"(?<![{_L}])(?<!\d[.-])[1-9]\d{{5}}{_S}?\d{{6}}{_S}?\d{{3}}(?![{_L}])"),
        holds=is_old_resident_id,
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "cn_credit_code",
        re.compile(
            rf"(?<![{_L}])[1-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy][{_CREDIT}a-hj-npqrtuwxy]\d{{6}}"
            rf"[{_CREDIT}a-hj-npqrtuwxy]{{10}}(?![{_L}])"
            rf"|(?<![{_L}])[1-9A-Y][{_CREDIT}](?:[ -]?\d){{6}}(?:[ -]?[{_CREDIT}]){{10}}(?![{_L}])"
        ),
        holds=is_credit_code,
        cue=re.compile(r"信用代码|信用代碼|税号|稅號"),
    ),
    Pattern(
        "iban",
        re.compile(
            rf"(?<![{_L}])[A-Za-z]{{2}}\d{{2}}(?:[ -]?[{_L}]{{4}}){{2,7}}"
            rf"(?:[ -]?[{_L}]{{1,3}})?(?![{_L}])"
        ),
        holds=is_iban,
    ),
    Pattern(
        "cn_mobile",
        re.compile(
            rf"(?<![{_HEX}])(?<!\d[.])(?<!\s-){_CHINA}"
            r"(?:1[3-9]\d[ -]{0,2}\d{4}[ -]{0,2}\d{4}|\(1[3-9]\d\)[ -]?\d{4}[ -]?\d{4}"
            rf"|1[3-9]\d({_S}{{1,3}})\d{{4}}\1\d{{4}}|(?<!\d{_S})1[3-9]\d{{2}}({_S})\d{{3}}\2\d{{4}}"
            rf"|(?<!\d{_S})1[3-9]\d{{2}}({_S})\d{{4}}\3\d{{3}}|1[3-9]\d({_S})\d{{3}}\4\d{{5}}"
            rf"|(?<!\d[ ._/~-])1({_S})[3-9](?:\5\d){{9}})"
            rf"(?![{_HEX}])"
        ),
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "bank_card",
        re.compile(
            rf"(?<![{_L}])(?<!\d[.-])(?<!(?<!\d)\d )(?<!(?<!\d)\d{{3}} )(?<!(?<!\d)\d{{4}} )"
            r"(?:4|5[1-5]|2[2-7]|3|6)(?:[ ._-]?\d){12,18}"
            rf"(?!-?\d|[{_L}])"
        ),
        holds=is_luhn,
        cue=_CARD_CUE,
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "bank_card",
        re.compile(rf"(?<![{_L}-])(?<!(?<!\d)\d{{4}} )\d(?:[ -]?\d){{11,18}}(?![ -]?\d|[{_L}])"),
        cue=_CARD_CUE,
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "cn_mobile",
        re.compile(
            rf"(?<![{_HEX}])(?<!\d[.]){_CHINA}(?:0?1[3-9](?:[ ._/~*-]{{0,2}}\d){{9}}"
            rf"|1[3-9]\d([,，、])\d{{4}}\1\d{{4}})(?![{_HEX}])"
        ),
        cue=_ZH_PHONE_CUE,
        behind=_ZH_PHONE_BEHIND,
    ),
    Pattern(
        "cn_landline",
        re.compile(
            # with its area code
            rf"(?<![\d.-])(?:{_CHINA}[(\[]?0?{_AREA}[)\]-][ -]?[2-8]\d{{6,7}}"
            rf"|\(?(?:\+|00)86\)?[ -]{{0,2}}\(?0?{_AREA}\)?[ .-]?[2-8]\d{{2,3}}[ .-]?\d{{4}}"
            rf"|(?:\(0{_AREA}\)|0{_AREA})[ ._/-]{{0,3}}[2-8]\d{{2,3}}[ .-]?\d{{4}}"
            rf"){_EXTENSION}(?!\d)"
        ),
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "cn_landline",
        re.compile(rf"(?<![{_L}.-])(?<!\d[ )])[2-8]\d{{2,3}}[ -]?\d{{4}}{_EXTENSION}(?![{_L}-])"),
        cue=_ZH_PHONE_CUE,
        behind=_ZH_PHONE_BEHIND,
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "tw_id",
        re.compile(rf"(?<![{_L}])[A-Za-z][ -]?[1289][ -]?\d{{4}}[ -]?\d{{4}}(?![{_L}])"),
        holds=is_taiwan_id,
        unless=_words(r"[^份分證证号號D](?:编号|單號|[a-z]+)[:： ]{0,2}$"),
    ),
    Pattern(
        "hk_id",
        re.compile(rf"(?<![{_L}])[A-Za-z]{{1,2}}[ -]?\d{{6}} ?\([\dAa]\)"),
        holds=is_hong_kong_id,
        cue=_ID_CUE,
    ),
    Pattern(
        "hk_id",
        re.compile(rf"(?<![{_L}])[A-Za-z]{{1,2}}[ -]?\d{{6}}[ -]?[\dAa](?![{_L}])"),
        cue=re.compile(r"HKID|身[份分]|香港"),
    ),
    Pattern(
        "macau_id",
        re.compile(rf"(?<![{_L}])[157][ /-]?\d{{6}}(?: ?\(\d\)|/\d)(?![{_L}])"),
    ),
    Pattern(
        "passport",
        re.compile(
            rf"(?<![{_L}])(?:(?:[A-Za-z]{{2}}|[A-Za-z][ -]?)\d(?: ?\d){{6,9}}|\d{{8,9}})(?![{_L}])"
        ),
        cue=_words(r"护照|護照|通行[证證]|回[乡鄉郷][证證]|[台臺]胞[证證]|\bpassports?\b"),
        behind=_words(r"[ (（]{0,2}(?:护照|護照|passport)"),
    ),
    Pattern(
        "us_ssn",
        re.compile(rf"(?<![{_L}-])\d{{3}}([- ])\d{{2}}\1\d{{4}}(?![{_L}-])"),
        holds=is_ssn,
    ),
    Pattern(
        "us_ssn",
        re.compile(rf"(?<![{_L}])\d{{3}} ?\d{{2}} ?\d{{4}}(?![{_L}])"),
        cue=_words(r"\bSSN\b|social security"),
    ),
    Pattern(
        "cn_plate",
        re.compile(
            rf"[{_PLATE_PLACES}] ?[A-HJ-Za-hj-z] ?[.-]? ?(?=[A-Za-z]{{0,5}}\d)"
            rf"[{_L}]{{4,5}}[{_L}挂学警港澳](?![{_L}])"
        ),
        signs=tuple(_PLATE_PLACES),
    ),
    Pattern(
        "cn_plate",
        re.compile(rf"[{_PLATE_PLACES}] ?[A-HJ-Z] ?[.-]? ?[A-Z]{{5,6}}(?![{_L}])"),
        cue=re.compile(r"车牌|車牌|号牌|牌照|车辆|车主|车号|停车|违章|车是|[的辆]车$|[开开]着?$"),
        behind=re.compile(r"(?:的车|这辆|那辆|这车|是谁|车主|违章|停在|，?车主)"),
        signs=tuple(_PLATE_PLACES),
    ),
    Pattern(
        "phone",
        re.compile(
            # with its country code, as North America writes it, or with the leading 0
            rf"(?:(?<![{_L}+])(?:\+|00(?=[1-9]{{2,3}} ?\d))\(?\d{{1,3}}\)?"
            rf"(?:[ .()/-]{{0,3}}\d){{6,13}}"
            rf"|(?<![{_L}.+-])(?:1[ .-])?(?:\([2-9]\d\d\)[ -]?|[2-9]\d\d[.-])\d{{3}}[ .-]?\d{{4}}"
            rf"|(?<![{_L}.+-])(?:852|853|886)[ -]\d{{1,4}}[ -]?\d{{3,4}}[ -]?\d{{3,4}}"
            rf"|(?<![{_L}.+-])09\d\d[ .-]?\d{{3}}[ .-]?\d{{3}}"
            rf"|(?<![{_L}.+-])\(0[2-9]\d?\)[ -]?\d{{3,4}}[ -]?\d{{4}}"
            rf"|(?<![{_L}.+-])0[2-8]\d?-\d{{3,4}}-\d{{4}}|(?<![{_L}.+-])0\d{{2,4}}/\d{{6,8}}"
            rf"|(?<![{_L}.+-])0\d{{1,4}}(?: \d{{2,5}}){{2,4}}(?! \d)"
            rf"|(?<![{_L}.+-])\((?!19|20)0?\d{{2,5}}\) ?\d{{3,4}}[ -]\d{{3,4}})"
            rf"(?:x\d{{1,5}})?(?![{_L}])"
        ),
        holds=is_own_line,
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "phone",
        re.compile(
            rf"(?<![{_L}.+-])(?=(?:[ .()-]{{0,3}}\d){{7,15}}(?![{_L}]))"
            r"(?!(?:19|20)\d\d(?:([.-])\d{1,2}\1\d{1,2}| \d{1,3})(?!\d))"  # a date, a year
            r"(?!(?:1[ .-])?(?:400|800|888)[ .-]?\d{3})"  # a company's line
            rf"\(?\d{{2,12}}\)?(?:[ .()-]{{1,3}}\d{{2,8}}){{0,5}}(?![{_L}])"
        ),
        cue=re.compile(f"{_PHONE_CUE.pattern}|{_ZH_PHONE_CUE.pattern}", re.IGNORECASE),
        behind=_PHONE_BEHIND,
        unless=_OTHER_NUMBER,
    ),
    Pattern(
        "phone",  # ten bare digits, in a text that names telephones anywhere or holds nothing else
        re.compile(rf"(?<![{_L}.+/=-])[2-9](?:\d{{9}}|\d\d [2-9]\d\d \d{{4}})(?![{_L}])(?![.-]\d)"),
        cue=_PHONE_CUE,
        cue_chars=200,
        may_stand_alone=True,
        unless=_OTHER_NUMBER,
    ),
)
# So many of them need no words: their check or their shape says enough.
CHECKED: Final = 1 + max(at for at, one in enumerate(PATTERNS) if one.holds is is_luhn)
