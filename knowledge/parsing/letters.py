"""Letters that look like others or like nothing, made the ordinary ones.

It knows soft hyphens, letters without width, and the radicals and compatibility letters that PDFs
write for Han letters; it does not know languages. What a script or an emoji needs stays: joiners in
Persian and Hindi, the spaces without width that part words in Thai and Khmer.
"""

import re
import unicodedata

FLAG = "\U0001f3f4"
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
_EMOJI = (
    "\u00a9\u00ae\u2190-\u2bff\u3030\u303d\ufe0f\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f"
)
_INVISIBLE = re.compile(
    "\u00ad(?:[ \t]*\n[ \t]*(?=[^\\W\\d_]))?"
    "|[\u2060\ufeff\u180e]"
    f"|(?<![{_SOUTH_EAST}])\u200b"
    f"|(?<![{_JOINING}{_EMOJI}])[\u200c\u200d]"
)
_TAGS = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{1,8}\U000e007f|[\U000e0000-\U000e007f]+")
"""A flag of a region, which stays; or tag characters, which nobody sees and a model reads."""
_UNSEEN = "\u00ad\u2060\ufeff\u180e\u200b\u200c\u200d"
_RADICALS = (
    "⺁厂⺂乛⺃乚⺄乙⺅亻⺆冂⺇𠘨⺈刀⺉刂⺊卜⺋㔾⺌小⺍小⺎兀⺏尣⺐尢⺑𡯂⺒巳⺓幺⺔彑⺕彐⺖忄⺗心"
    "⺘扌⺙攵⺛旡⺜日⺝月⺞歺⺟母⺠民⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺧牛⺨犭⺩王⺪𤴔⺫目⺬示⺭礻⺮𥫗⺯糹"
    "⺰纟⺱罓⺲罒⺳㓁⺴冗⺵𦉫⺶羊⺷𦍌⺸𦍋⺹耂⺺肀⺻聿⺼肉⺽𦥑⺾艹⺿艹⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角"
    "⻇𧢲⻈讠⻉贝⻊𧾷⻋车⻌辶⻍辶⻎辶⻏邑⻐钅⻑長⻒镸⻓长⻔门⻕𨸏⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食"
    "⻞𩙿⻟飠⻠饣⻡𩠐⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟"
)
"""Radical, and the letter that looks the same (Unicode 14, EquivalentUnifiedIdeograph.txt).
The Kangxi radicals and compatibility letters have theirs in Python's own tables."""
_LOOKALIKE = re.compile("[\u2e80-\u2fd5\uf900-\ufaff\U0002f800-\U0002fa1f]")
_ORDINARY = dict(zip(_RADICALS[::2], _RADICALS[1::2], strict=True))


def without_invisible(text: str) -> str:
    """Return a text without soft hyphens, and without letters of no width that part a word."""
    if text.isascii() or not any(letter in text for letter in _UNSEEN):
        return text
    return _INVISIBLE.sub("", text)


def without_tags(text: str) -> tuple[str, int]:
    """Return a text without tag characters that belong to no flag, and how many there were."""
    if text.isascii() or not (found := _TAGS.findall(text)):
        return text, 0
    count = sum(len(letters) for letters in found if not letters.startswith(FLAG))
    return _TAGS.sub(lambda tag: tag[0] if tag[0].startswith(FLAG) else "", text), count


def ordinary(text: str) -> str:
    """Return a text of the same length with ordinary Han letters for those that look the same."""
    return text if text.isascii() else _LOOKALIKE.sub(_ordinary, text)


def plain(text: str) -> str:
    """Return a text as it is compared: without invisible letters, and with ordinary ones."""
    return ordinary(without_invisible(text))


def _ordinary(found: re.Match[str]) -> str:
    letter = found[0]
    known = _ORDINARY.get(letter) or unicodedata.normalize("NFKC", letter)
    return known if len(known) == 1 else letter
