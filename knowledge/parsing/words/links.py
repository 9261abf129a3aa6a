"""Where links lead: the address that is written beside words that do not show it.

It knows addresses and when a reader has a use for one; it does not know formats. What leads away
from the document is kept; places in the same document and pages of the same site are not: those
are a site's own paths, and a page has hundreds.
"""

import re

MOST_ADDRESS_CHARS = 200  # a choice: an address that somebody types is shorter, one that counts
# clicks is longer and says nothing
_AWAY = re.compile(r"(?:https?|ftps?)://", re.IGNORECASE)
_PERSON = re.compile(r"(mailto|tel|sms|callto|fax):(?://)?", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:(?!//)", re.IGNORECASE)
# Patterns as text are compiled where one is first needed: most files have no such link.
_FILE = (
    r"(?i)[^?#]*\.(?:pdf|docx?|docm|dotx?|xlsx?|xlsm|csv|tsv|pptx?|odt|ods|odp|rtf|txt|md|epub|zip|7z|gz"
    r"|ics|vcf|dwg|exe|msi|dmg|apk|mp3|mp4)(?:[?#].*)?"
)
_SAYS_NOTHING = (
    r"(?i)(?:(?:please |just )?(?:click|tap|press|see|follow|use|go|download(?: it| them)?)? ?)?"
    r"(?:here|this|this (?:link|page|form|site|document|file)|the link|link|page)"
    r"|(?:bitte )?(?:hier(?: klicken)?|dieser link)|ici|cliquez ici|aquí|qui"
    r"|(?:请|請)?(?:点击|點擊|点|點|戳|见|見)?(?:这里|這裡|這裏|此处|此處|链接|鏈接|連結|本页|此页)"
    r"|(?:こちら|ここ|リンク)(?:を?クリック)?"
)
_DIGITS = re.compile(r"\D+")
LEAST_DIGITS = 5  # of a number that counts as shown; fewer are its code or extension


def address_beside(words: str, target: str, *, site: str = "") -> str:
    """Return the address to write beside the words of a link; empty where there is none.

    Args:
        words: What the link shows.
        target: Where it leads, as the file has it.
        site: Host of the page itself, where it is known; empty: of none.

    Returns:
        The address without what the words show already. Of a mail address or a number the scheme
        is left out.
    """
    target = "".join(target.split())
    words = " ".join(words.split())
    if person := _PERSON.match(target):
        return _person(words, target[person.end() :], is_mail=person[1].lower() == "mailto")
    is_away = _AWAY.match(target) is not None
    if not target or target.startswith("#") or (not is_away and _OTHER_SCHEME.match(target)):
        if not target[:5].lower() == "file:":
            return ""
    is_near = not is_away or (site != "" and host_of(target) == site)
    if is_near and not (re.fullmatch(_FILE, target) or _says_nothing(words)):
        return ""
    return "" if _shows(words, target) else _short(target)


def _says_nothing(words: str) -> bool:
    return re.fullmatch(_SAYS_NOTHING, words.strip(" .。»>→")) is not None


def host_of(address: str) -> str:
    """Return the host of an address in small letters; empty for one without."""
    found = _AWAY.match(address)
    if found is None:
        return ""
    return re.split(r"[/?#]", address[found.end() :], maxsplit=1)[0].lower().removeprefix("www.")


def _person(words: str, who: str, *, is_mail: bool) -> str:
    who = who.split("?")[0].replace("%20", " ").replace("%40", "@")
    if is_mail:
        return "" if who.lower() in words.lower() else who
    shown, number = (_DIGITS.sub("", text).lstrip("0") for text in (words, who))
    is_shown = number == shown or (len(shown) >= LEAST_DIGITS and number.endswith(shown))
    return "" if is_shown else who


def _shows(words: str, target: str) -> bool:
    shown, address = (_bare(text) for text in (words, target))
    return bool(address) and address in shown


def _bare(text: str) -> str:
    """Return an address as it is often written: without scheme, `www.` and the last stroke."""
    text = _AWAY.sub("", text.lower()).replace("www.", "")
    return "".join(text.split()).rstrip("/")


def _short(target: str) -> str:
    """Return an address; a very long one without what is counted by it."""
    if len(target) <= MOST_ADDRESS_CHARS:
        return target
    without = target.split("?")[0].split("#")[0]
    return f"{without[:MOST_ADDRESS_CHARS]}…"
