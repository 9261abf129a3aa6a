"""Finds names and street addresses where words announce them, Chinese and English.

Patterns find some of them and take other words for some: they are counted apart from what can be
checked, and a person reads a sample.
"""

import re
from typing import Final

from adapters.data.personal.finding import PersonalData
from adapters.data.personal.reserved import blank_names
from adapters.data.personal.spelling import Plain, spell

NAME_KINDS: Final = ("person_name", "street_address")

# The commonest surnames: some 95 % of people in China have one of them; then those of two letters.
_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶"
    "阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖"
    "龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿"
    "牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强丘华"
    "張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭許鄧呂蘇盧蔣賈葉閻鍾譚鄒陸"
)
_TWO: Final = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|歐陽|司馬|諸葛"
_HAN: Final = "\u4e00-\u9fff"
_NAME: Final = rf"(?:(?:{_TWO})[{_HAN}]{{1,2}}|[{_SURNAMES}][{_HAN}]{{1,2}})"
_TITLES: Final = (
    "先生|女士|小姐|太太|经理|總監|总监|主任|老师|老師|医生|醫生|律师|律師|教授|师傅|同学|同志"
)
_CUES: Final = (
    "姓名|名字叫?|联系人|聯絡人|收件人|收货人|寄件人|发件人|户名|开户人|持卡人|患者|病人|车主|申请人|承租方|承租人"
    "|出租方|出租人|原告|被告|法定代表人|法人代表|经办人|负责人|投保人|被保险人|受益人|买家|卖家|客户|用户|员工|学生"
    "|我叫|我是|本人|请联系|转告|打给"
)
# What may follow a name: else the letters go on and are a word.
_END: Final = (
    rf"(?=$|[^{_HAN}]|的|电话|电子|手机|邮箱|微信|身份|证件|护照|银行|名下|女|男|先生|女士|年|已|在|于|完成|您|你"
    r"|住|和|与|说|来)"
)
_STREET_END: Final = "路|街|道|巷|胡同|弄|大街|大道|里|村|庄|屯|园|苑|小区|广场|条"
_ADDRESS: Final = re.compile(
    rf"(?:[{_HAN}]{{2,7}}(?:省|自治区))?(?:[{_HAN}]{{2,7}}市){{0,2}}(?:[{_HAN}]{{1,7}}[区县旗])?(?:[{_HAN}]{{1,7}}[镇乡])?"
    rf"[{_HAN}]{{1,8}}?(?:{_STREET_END})[东南西北]?[甲乙丙]?\d{{1,5}}(?:-\d{{1,4}})?[号號]"
    rf"(?:院|楼)?(?:[{_HAN}A-Z]{{0,10}}?\d{{1,4}}(?:号楼|栋|幢|座|单元|室|层|楼|号))*"
)
_ADDRESS_CUE: Final = re.compile(
    r"^.*(?:地?址|位于|位置|寄到|住在|住址|居住地|家住|现住|送到)[是为在:： ]{0,3}"
)
_EN_STREET: Final = re.compile(
    r"(?<![\w.])\d{1,5}[A-Za-z]?(?: [A-Z][A-Za-z.'-]{1,20}){1,4}"
    r" (?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard"
    r"|Blvd|Court|Ct|Square|Way|Place|Pl|Terrace|Crescent)\b\.?"
    r"(?:,? (?:Apt|Suite|Unit|Apartment)\.? ?\w{1,6})?"
)
_EN_WORD: Final = r"[A-Z][\w'-]{1,20}"
_NAMES: Final = (
    re.compile(rf"(?:{_CUES})[是为叫:： ]{{0,2}}(?P<name>{_NAME}){_END}"),
    re.compile(rf"(?<![{_HAN}])(?P<name>{_NAME})(?=[ :：,，/的]{{0,2}}(?:1[3-9]\d|{_TITLES}))"),
    re.compile(rf"(?P<name>[{_SURNAMES}][{_HAN}]{{0,2}}?)(?={_TITLES})"),
    re.compile(
        r"(?i:\b(?:mr|mrs|ms|miss|dr|prof)\b\.? )"
        rf"(?P<name>{_EN_WORD}(?: [A-Z]\.)?(?: {_EN_WORD}){{0,2}})"
    ),
    re.compile(
        r"(?i:\b(?:my name is|name:|dear|customer|patient:?|contact:|policyholder:|this is"
        r"|sincerely,?|regards,?))[ \n]{1,2}"
        rf"(?P<name>{_EN_WORD}(?: [A-Z]\.)?(?: {_EN_WORD}){{1,2}})"
    ),
)


def find_names_and_addresses(text: str) -> list[PersonalData]:
    """Return names and street addresses in `text`, in its order and without overlaps."""
    return find_names_in(spell(text))


def find_names_in(plain: Plain) -> list[PersonalData]:
    """Return them of a text in its one spelling; places are those of the source."""
    text = blank_names(plain.text)
    spans = [("street_address", *match.span()) for match in _ADDRESS.finditer(text)]
    spans += [("street_address", *match.span()) for match in _EN_STREET.finditer(text)]
    for pattern in _NAMES:
        spans += [("person_name", *match.span("name")) for match in pattern.finditer(text)]
    found: list[tuple[int, int, str]] = []
    for kind, start, end in spans:
        if kind == "street_address" and (cue := _ADDRESS_CUE.match(text[start:end])):
            start += cue.end()
        if all(end <= other[0] or other[1] <= start for other in found):
            found.append((start, end, kind))
    return [
        PersonalData(kind, *plain.span(start, end), text[start:end])
        for start, end, kind in sorted(found)
        if start < end
    ]
